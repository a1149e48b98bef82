/**
 * Ends all processes of a job: the asked signal first, SIGKILL after a grace period, and whatever is left behind the
 * leader. The only file that decides whom to signal for a job's end.
 */
import { type Membership, membersOf, type ProcessEntry, readEntry, scanProcesses } from "./process_table.ts";
import { exists, sendNow } from "./signals.ts";

/** What is left behind a leader that has ended gets this long between SIGTERM and SIGKILL: nobody waits for it. */
export const LEFTOVER_GRACE_MS = 1_000;

/** After SIGKILL a process is gone at once unless the kernel holds it (a dead disk, say): then waiting is no use. */
const KILL_WAIT_MS = 2_000;

/**
 * Nothing tells a process that it is not the parent of that another one ended, so leftovers are looked for again, at
 * growing intervals and only while there are any and the bounds above have not passed.
 */
const FIRST_CHECK_MS = 2;
const LAST_CHECK_MS = 50;

/** Asks the whole process group to end. SIGCONT lets a stopped process hear it. */
export function askToEnd(leader: number): void {
  send(-leader, "SIGTERM");
  send(-leader, "SIGCONT");
}

/** Kills the process group at once, then every other process of the job that can be found. */
export async function killAll(job: Membership): Promise<void> {
  send(-job.leader, "SIGKILL");
  for (const entry of membersOf(await scanProcesses() ?? [], job)) kill(entry, "SIGKILL");
}

/**
 * Ends what is left of a job whose leader has ended: SIGTERM, a short grace period, SIGKILL until none is left.
 *
 * @param graceMs between SIGTERM and SIGKILL, at most `LEFTOVER_GRACE_MS`; 0 kills at once
 * @returns how many processes were found, and whether all of them are gone
 */
export async function endLeftovers(job: Membership, graceMs: number): Promise<{ found: number; gone: boolean }> {
  let left = await leftOf(job);
  const found = left.length;
  if (found === 0) return { found, gone: true };
  // Those that carry the mark may end first: what was found to be the job's group once stays it.
  const known = left.some(({ isInGroup }) => isInGroup) ? { ...job, wasUnwatched: false } : job;
  const asked = new Set<string>();
  const graceEnd = performance.now() + Math.min(graceMs, LEFTOVER_GRACE_MS);
  const end = graceEnd + KILL_WAIT_MS;
  for (let waitMs = FIRST_CHECK_MS; left.length > 0; waitMs = Math.min(waitMs * 2, LAST_CHECK_MS)) {
    const now = performance.now();
    if (now > end) return { found, gone: false };
    for (const target of left) {
      if (now >= graceEnd) target.send("SIGKILL");
      else if (!asked.has(target.name)) {
        asked.add(target.name);
        target.send("SIGTERM");
        target.send("SIGCONT");
      }
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    left = await leftOf(known);
  }
  return { found, gone: true };
}

/** One process that is left, or the whole group where processes cannot be told apart. */
interface Target {
  readonly name: string;
  /** In the leader's group or session. */
  readonly isInGroup: boolean;
  send(signal: Deno.Signal): void;
}

async function leftOf(job: Membership): Promise<Target[]> {
  const entries = await scanProcesses();
  if (entries === undefined) {
    // Without /proc there is still the group, as long as it has members: then its id is nobody else's.
    if (job.wasUnwatched || !exists(-job.leader)) return [];
    return [{ name: "group", isInGroup: true, send: (signal) => send(-job.leader, signal) }];
  }
  // Pid and start time together name one process for ever.
  return membersOf(entries, job).map((entry) => ({
    name: `${entry.pid}:${entry.startTime}`,
    isInGroup: entry.session === job.leader || entry.pgrp === job.leader,
    send: (signal) => kill(entry, signal),
  }));
}

/** Signals one process, having looked again that the pid is still that process's. */
function kill(entry: ProcessEntry, signal: Deno.Signal): void {
  if (readEntry(entry.pid)?.startTime === entry.startTime) send(entry.pid, signal);
}

/** A process that became another user's (a set-user-id program) may be out of reach; the others must still end. */
function send(pid: number, signal: Deno.Signal): void {
  try {
    sendNow(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
  }
}
