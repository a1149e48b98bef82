/** Lets all processes of a job stand still, and go on. */
import { membersOf } from "./process_members.ts";
import { readEntry, scanProcesses } from "./process_table.ts";
import { sendNow } from "./signals.ts";
import type { Ending } from "./termination.ts";

/**
 * A process that the kernel holds (a slow disk, say) stands still only when that lets it go. What forks between two looks
 * is found at the next, so this ends: a parent that stands still forks no more.
 */
const SETTLE_MS = 1_000;
const FIRST_CHECK_MS = 1;
const LAST_CHECK_MS = 50;

/**
 * Lets everything of a job stand still: its cgroup frozen where it has one, else SIGSTOP to each process. Resolves when
 * all do, after a second at the latest.
 *
 * @param isWanted asked again before each look: the job may be told to go on meanwhile
 */
export async function pauseAll(job: Ending, isWanted: () => boolean): Promise<void> {
  const isFrozen = job.cgroup?.freeze(true) === true;
  const end = performance.now() + SETTLE_MS;
  for (let waitMs = FIRST_CHECK_MS; isWanted(); waitMs = Math.min(waitMs * 2, LAST_CHECK_MS)) {
    if (isFrozen ? job.cgroup?.isFrozen !== false : await stopEach(job, isWanted)) return;
    if (performance.now() > end) return;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/** Returns whether all were found to stand still. */
async function stopEach(job: Ending, isWanted: () => boolean): Promise<boolean> {
  const moving = membersOf(await scanProcesses() ?? [], job).filter((entry) => !entry.stopped);
  for (const { pid, startTime } of moving) {
    if (isWanted() && readEntry(pid)?.startTime === startTime) send(pid, "SIGSTOP");
  }
  return moving.length === 0;
}

/** Lets everything of a job go on: its cgroup is thawed where it has one, else SIGCONT to each process. */
export async function resumeAll(job: Ending): Promise<void> {
  if (job.cgroup?.freeze(false)) return;
  for (const { pid, startTime } of membersOf(await scanProcesses() ?? [], job)) {
    if (readEntry(pid)?.startTime === startTime) send(pid, "SIGCONT");
  }
}

/** What became another user's (a set-user-id program) may be out of reach. */
function send(pid: number, signal: Deno.Signal): void {
  try {
    sendNow(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}
