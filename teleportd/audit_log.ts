/** Opens the audit log of a server. */
import { defined } from "../base/defined.ts";
import { errorMessage } from "../base/error_message.ts";
import type { Logger } from "../base/logger.ts";
import { AuditLog } from "../service/audit/log.ts";
import type { Flags } from "./flags.ts";
import { StartError } from "./start_error.ts";

/**
 * Opens the audit log, and warns about what is wrong with it.
 *
 * @param onWrite receives the duration of each write in milliseconds
 * @throws {StartError} when it cannot be opened
 */
export async function openAuditLog(
  directory: string,
  flags: Pick<Flags, "auditFileBytes" | "auditFiles">,
  log: Logger,
  onWrite: ((durationMs: number) => void) | undefined,
): Promise<AuditLog> {
  const auditLog = await AuditLog.open({
    directory,
    onError: (error) =>
      log.error(
        `Cannot write the audit log, so new work is refused until it can be written: ${errorMessage(error)}`,
      ),
    ...defined({ onWrite, maxFileBytes: flags.auditFileBytes, maxFiles: flags.auditFiles }),
  }).catch((error) => {
    throw new StartError(`Cannot open the audit log in "${directory}": ${errorMessage(error)}`, { cause: error });
  });
  if (auditLog.problem !== undefined) log.warn(`The audit log is not whole: ${auditLog.problem}`);
  return auditLog;
}
