/** Pauses and resumes all processes of a job. */
import { Backoff } from "../../base/backoff.ts";
import { type ProcessEntry, scanProcesses } from "../linux/procfs.ts";
import { signalEntry } from "../linux/signals.ts";
import { membersOf } from "./members.ts";
import type { KillTarget } from "./survivor_finder.ts";

/** The longest time to wait for the pause: a process that the kernel holds (a slow disk) stops only when that ends. */
const SETTLE_MS = 1_000;
const FIRST_CHECK_MS = 1;
const LAST_CHECK_MS = 50;

/**
 * Pauses all processes of a job: freezes its cgroup, or sends SIGSTOP to each process if it has none. Resolves when all
 * are paused, after one second at the latest.
 *
 * A process that forks between two scans is found by the next one. A stopped parent forks no more, so this ends.
 * If a process of another user may not be signalled, the stopped ones continue. A job is paused as a whole or not at all.
 *
 * @param isWanted called again before each scan, because the job may be resumed meanwhile
 * @returns the pids of the processes that may not be signalled
 */
export async function pauseAll(job: KillTarget, isWanted: () => boolean): Promise<readonly number[]> {
  const isFrozen = job.cgroup?.freeze(true) === true;
  const end = performance.now() + SETTLE_MS;
  const stopped = new Map<number, ProcessEntry>();
  const backoff = new Backoff(FIRST_CHECK_MS, LAST_CHECK_MS);
  while (isWanted()) {
    const moving = isFrozen ? [] : await movingOf(job);
    const denied = isWanted() ? stopEach(moving, stopped) : [];
    if (denied.length > 0) {
      for (const entry of stopped.values()) signalEntry(entry, "SIGCONT");
      return denied;
    }
    if (isFrozen ? job.cgroup?.isFrozen !== false : moving.length === 0) return [];
    if (performance.now() > end) return [];
    await backoff.wait();
  }
  return [];
}

/** Returns the processes of a job that are not stopped. */
async function movingOf(job: KillTarget): Promise<readonly ProcessEntry[]> {
  return membersOf(await scanProcesses() ?? [], job).filter((entry) => !entry.stopped);
}

/** Stops processes, and adds them to `stopped`. Returns the pids of the ones that may not be signalled. */
function stopEach(entries: readonly ProcessEntry[], stopped: Map<number, ProcessEntry>): number[] {
  const denied: number[] = [];
  for (const entry of entries) {
    const delivery = signalEntry(entry, "SIGSTOP");
    if (delivery === "SENT") stopped.set(entry.pid, entry);
    else if (delivery === "DENIED") denied.push(entry.pid);
  }
  return denied;
}

/**
 * Resumes all processes of a job: thaws its cgroup, or sends SIGCONT to each process if it has none.
 *
 * @returns the pids of the stopped processes that may not be signalled
 */
export async function resumeAll(job: KillTarget): Promise<readonly number[]> {
  if (job.cgroup?.freeze(false)) return [];
  const members = membersOf(await scanProcesses() ?? [], job);
  return members.filter((entry) => signalEntry(entry, "SIGCONT") === "DENIED" && entry.stopped).map(({ pid }) => pid);
}
