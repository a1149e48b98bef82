/**
 * Ends all processes of a job: first SIGTERM, after a grace period SIGKILL, and then everything that is left after the
 * leader's exit. No other file decides which processes are signalled when a job ends.
 */
import { Backoff } from "../../base/backoff.ts";
import { readEntry, scanProcesses } from "../linux/procfs.ts";
import { type Delivery, exists, sendNow, signalEntry } from "../linux/signals.ts";
import { CgroupFinder, findSurvivors, type KillTarget, nameOf, ProcFinder, UNLISTED } from "./survivor_finder.ts";

/** The longest grace period of survivors, in milliseconds. No caller waits for them. */
export const SURVIVOR_GRACE_MS = 1_000;

/** A process ends at once on SIGKILL, unless the kernel holds it (a dead disk). Then more waiting does not help. */
const KILL_WAIT_MS = 2_000;

/** The kernel does not report the exit of non-children, so this polls, with growing intervals, within the bounds above. */
const FIRST_CHECK_MS = 2;
const LAST_CHECK_MS = 50;

/**
 * Sends SIGTERM to the whole process group. SIGCONT lets stopped processes handle it.
 *
 * @param leader a child that this process has not waited for
 * @returns `DENIED` if no process of the group may be signalled
 */
export function sendTerm(leader: number): Delivery {
  const delivery = sendNow(-leader, "SIGTERM");
  // Before setsid(1) has run, the leader is alone and has no group.
  const last = delivery === "GONE" ? sendNow(leader, "SIGTERM") : delivery;
  sendNow(delivery === "GONE" ? leader : -leader, "SIGCONT");
  return last;
}

/** The processes that `killAll` found. */
export interface Killed {
  /** The names of the processes, the leader's included. A caller that kills twice counts each process once by them. */
  readonly found: readonly string[];
  /** The pids of the processes that may not be signalled, because they run as another user. */
  readonly denied: readonly number[];
}

/** Kills all processes of a job. `endSurvivors` ends the ones that are forked meanwhile. */
export async function killAll(job: KillTarget): Promise<Killed> {
  const scan = await scanProcesses();
  const inProc = new ProcFinder(job).find(scan);
  const inCgroup = job.cgroup === undefined ? [] : new CgroupFinder(job.cgroup).find(scan);
  job.cgroup?.kill();
  const group = sendNow(-job.leader, "SIGKILL");
  const denied = new Set(inProc.filter((entry) => signalEntry(entry, "SIGKILL") === "DENIED").map(({ pid }) => pid));
  // The kernel kills the processes of a cgroup whatever their user is.
  for (const { pid } of inCgroup) denied.delete(pid);
  if (group === "DENIED" && !inCgroup.some(({ pid }) => pid === job.leader)) denied.add(job.leader);
  return { found: [...new Set([...inProc, ...inCgroup].map(nameOf))], denied: [...denied] };
}

/** The result of `endSurvivors`. */
export interface SurvivorsEnd {
  /** The names of the processes that were found. */
  readonly found: readonly string[];
  /** The names of the processes that could not be ended. */
  readonly left: readonly string[];
  /** True if those may not be signalled, because they run as another user. */
  readonly isDenied: boolean;
}

/**
 * Ends the survivors of a job: SIGTERM, a short grace period, then SIGKILL until none is left.
 *
 * @param graceMs the time between SIGTERM and SIGKILL, at most `SURVIVOR_GRACE_MS`; 0 kills at once
 */
export async function endSurvivors(job: KillTarget, graceMs: number): Promise<SurvivorsEnd> {
  const found = new Set<string>();
  let survivors = await findSurvivors(job);
  if (survivors.length === 0 && hasGroup(job)) {
    killGroups([job.leader]);
    survivors = await findSurvivors(job);
  }
  if (survivors.length === 0) return { found: [], left: [], isDenied: false };
  // The marked processes may end first. A group that was the job's once stays the job's.
  const sessions = new Set<number>();
  const known = {
    ...job,
    sessions,
    wasUnwatched: job.wasUnwatched === true && !survivors.some(({ isInGroup }) => isInGroup),
  };
  const graceEnd = performance.now() + Math.min(graceMs, SURVIVOR_GRACE_MS);
  let killedMs = Infinity;
  let scannedMs = -Infinity;
  const backoff = new Backoff(FIRST_CHECK_MS, LAST_CHECK_MS);
  while (survivors.length > 0) {
    const now = performance.now();
    const groups = new Set(survivors.flatMap(({ group }) => group ?? []));
    if (now >= graceEnd) {
      killedMs = Math.min(killedMs, now);
      job.cgroup?.kill();
      killGroups(groups);
    }
    let denied = 0;
    for (const survivor of survivors) {
      if (now >= graceEnd) denied += survivor.send("SIGKILL") === "DENIED" ? 1 : 0;
      else if (!found.has(survivor.name)) {
        survivor.send("SIGTERM");
        survivor.send("SIGCONT");
      }
      if (survivor.name !== UNLISTED) found.add(survivor.name);
      if (survivor.session !== undefined) sessions.add(survivor.session);
    }
    // Processes that may not be signalled are not waited for, unless the kernel kills them with their cgroup.
    const isDenied = denied === survivors.length && job.cgroup?.isPopulated !== true;
    // A busy server may kill late and scan late. So the wait is the time from the first kill to the last scan.
    const isStuck = scannedMs - killedMs > KILL_WAIT_MS;
    if (isDenied || isStuck) return { found: [...found], left: survivors.map(({ name }) => name), isDenied };
    // Frozen processes do not handle SIGTERM.
    job.cgroup?.freeze(false);
    await backoff.wait();
    scannedMs = performance.now();
    survivors = await findSurvivors(known);
    if (survivors.length > 0) continue;
    // A process that forks and ends at once may escape each scan, which sees only its predecessor. Its group has it.
    killGroups(hasGroup(known) ? groups.add(job.leader) : groups);
    survivors = await findSurvivors(known);
  }
  return { found: [...found], left: [], isDenied: false };
}

/** Returns true if the leader's group has members, zombies included. False if its id may be another group's. */
function hasGroup(job: KillTarget): boolean {
  if (job.wasUnwatched || !exists(-job.leader)) return false;
  const entry = readEntry(job.leader);
  return entry === undefined || entry.startTime === job.startTime;
}

/**
 * Kills process groups that had a member in the last scan: their ids cannot be reused so soon. A signal to a group reaches
 * a process that is just being forked, which a signal to each process does not.
 */
function killGroups(groups: Iterable<number>): void {
  for (const group of groups) sendNow(-group, "SIGKILL");
}
