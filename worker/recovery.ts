/** What a server does about the jobs that were running when the one before it died. */
import { endLeftovers, LEFTOVER_GRACE_MS } from "./termination.ts";
import type { StoredProcess } from "./store.ts";
import type { ProcessStatus } from "./state.ts";

/** Names the start of the system that this process runs in; proc_sys_kernel(5). Empty where it cannot be read. */
export function bootId(): string {
  try {
    return Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
  } catch {
    return "";
  }
}

/**
 * Ends what is left of a job whose server died: its leader, group, session, descendants, and whatever carries its mark.
 * Nothing is signalled that is not known to be the job's: after a restart of the system nothing is.
 */
export async function endOrphans(id: string, process: StoredProcess | undefined, boot: string): Promise<void> {
  if (process === undefined || process.bootId !== boot || boot === "") return;
  // A job that was about to start has no pid on record: it is known by its mark alone.
  const { leader = -1, startTime = 0 } = process;
  await endLeftovers({ leader, startTime, mark: id }, LEFTOVER_GRACE_MS);
}

/** The status of a job whose end nobody saw. */
export function lostStatus(status: ProcessStatus): ProcessStatus {
  return {
    state: "LOST",
    reason: "LOST",
    error: "The server died while the job ran, and what became of the job was not seen",
    ...("startedAt" in status && status.startedAt ? { startedAt: status.startedAt } : {}),
    ...("pid" in status && status.pid !== undefined ? { pid: status.pid } : {}),
  };
}
