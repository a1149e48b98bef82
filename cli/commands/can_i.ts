/** `teleport can-i`: prints whether a call would be allowed, and which rule says so; nothing is done. */
import type { Sent } from "../../proto/service.ts";
import type { CanIRequest } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { callStatus, EXIT_CODE } from "../exit_code.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { UsageError } from "../../units/usage_error.ts";

/**
 * Asks, and exits with 0 for yes and 1 for no.
 *
 * @throws {UsageError} when there is no such call, which is no "no"
 */
export async function canI({ calls, print }: Context, request: Sent<CanIRequest>): Promise<number> {
  const { allowed, rule, code } = await calls.CanI(request, { deadlineMs: CALL_DEADLINE_MS }).catch((error) => {
    throw callStatus(error) === "INVALID_ARGUMENT" ? new UsageError(error.message) : error;
  });
  if (print.json) await print.record({ allowed, rule, code });
  else {await print.line(
      `${allowed ? print.styled("green", "yes") : print.styled("red", "no")}: ${escapeTerminal(rule)}`,
    );}
  return allowed ? EXIT_CODE.OK : EXIT_CODE.FAILED;
}
