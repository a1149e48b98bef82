/** Lets all processes of a job stand still, and go on. */
import { Backoff } from "../../base/backoff.ts";
import { membersOf } from "./members.ts";
import { type ProcessEntry, readEntry, scanProcesses } from "../linux/procfs.ts";
import { type Delivery, sendNow } from "../linux/signals.ts";
import type { KillTarget } from "./termination.ts";

/**
 * A process that the kernel holds (a slow disk, say) stands still only when that lets it go. What forks between two looks
 * is found at the next, so this ends: a parent that stands still forks no more.
 */
const SETTLE_MS = 1_000;
const FIRST_CHECK_MS = 1;
const LAST_CHECK_MS = 50;

/**
 * Lets everything of a job stand still: its cgroup frozen where it has one, else SIGSTOP to each process. Resolves when
 * all do, after a second at the latest. Where a process runs as another user and may not be signalled, those that were
 * stopped go on, for half a job that stands still is none.
 *
 * @param isWanted asked again before each look: the job may be told to go on meanwhile
 * @returns the pids of those that may not be signalled
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
      for (const entry of stopped.values()) send(entry, "SIGCONT");
      return denied;
    }
    if (isFrozen ? job.cgroup?.isFrozen !== false : moving.length === 0) return [];
    if (performance.now() > end) return [];
    await backoff.wait();
  }
  return [];
}

async function movingOf(job: KillTarget): Promise<readonly ProcessEntry[]> {
  return membersOf(await scanProcesses() ?? [], job).filter((entry) => !entry.stopped);
}

/** Returns the pids of those that may not be signalled, and adds the others to those stopped. */
function stopEach(entries: readonly ProcessEntry[], stopped: Map<number, ProcessEntry>): number[] {
  const denied: number[] = [];
  for (const entry of entries) {
    const delivery = send(entry, "SIGSTOP");
    if (delivery === "SENT") stopped.set(entry.pid, entry);
    else if (delivery === "DENIED") denied.push(entry.pid);
  }
  return denied;
}

/**
 * Lets everything of a job go on: its cgroup is thawed where it has one, else SIGCONT to each process.
 *
 * @returns the pids of those that stand still and may not be signalled
 */
export async function resumeAll(job: KillTarget): Promise<readonly number[]> {
  if (job.cgroup?.freeze(false)) return [];
  const members = membersOf(await scanProcesses() ?? [], job);
  return members.filter((entry) => send(entry, "SIGCONT") === "DENIED" && entry.stopped).map(({ pid }) => pid);
}

/** Signals one process, having looked again that the pid is still that process's. */
function send(entry: ProcessEntry, signal: Deno.Signal): Delivery {
  return readEntry(entry.pid)?.startTime === entry.startTime ? sendNow(entry.pid, signal) : "GONE";
}
