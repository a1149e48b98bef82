/**
 * Ends all processes of a job: the asked signal first, SIGKILL after a grace period, and whatever is left behind the
 * leader. The only file that decides whom to signal for a job's end.
 *
 * A cgroup knows its processes whatever they do, but a process of root's can leave it. So what is found in /proc is ended
 * beside it, as long as there is anything in the cgroup or the leader's group; without a cgroup it is all that is known.
 */
import { Backoff } from "../../base/backoff.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { type Membership, membersOf, scanIsInconclusive } from "./members.ts";
import { type ProcessEntry, readEntry, scanProcesses } from "../linux/procfs.ts";
import { type Delivery, exists, sendNow } from "../linux/signals.ts";

/** What is to be ended. */
export interface KillTarget extends Membership {
  readonly cgroup?: Cgroup | undefined;
}

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

/** So long it is looked again where it may be too early to say; on a machine where that is always so, no longer. */
const TOO_EARLY_MS = 100;

/**
 * Asks the whole process group to end. SIGCONT lets a stopped process hear it.
 *
 * @returns `DENIED` where none of it may be signalled
 */
export function sendTerm(leader: number): Delivery {
  const delivery = sendNow(-leader, "SIGTERM");
  sendNow(-leader, "SIGCONT");
  return delivery;
}

/** What `killAll` found. */
export interface Killed {
  /** The names of the processes, the leader's too: who kills more than once can tell how many. */
  readonly found: readonly string[];
  /** The pids of those that may not be signalled, because they run as another user. */
  readonly denied: readonly number[];
}

/** Kills everything of a job. What is forked meanwhile is left to `endLeftovers`. */
export async function killAll(job: KillTarget): Promise<Killed> {
  const scanned = membersOf(await scanProcesses() ?? [], job);
  const inCgroup = job.cgroup?.pids().flatMap((pid) => readEntry(pid) ?? []) ?? [];
  job.cgroup?.kill();
  const group = sendNow(-job.leader, "SIGKILL");
  const denied = new Set(scanned.filter((entry) => kill(entry, "SIGKILL") === "DENIED").map(({ pid }) => pid));
  // The cgroup kills whatever user its processes are of.
  for (const { pid } of inCgroup) denied.delete(pid);
  if (group === "DENIED" && !inCgroup.some(({ pid }) => pid === job.leader)) denied.add(job.leader);
  return { found: [...new Set([...scanned, ...inCgroup].map(nameOf))], denied: [...denied] };
}

/** What `endLeftovers` did. */
export interface Leftovers {
  /** The names of those that were found. */
  readonly found: readonly string[];
  /** The names of those that could not be ended. */
  readonly left: readonly string[];
  /** Whether those may not be signalled, because they run as another user. */
  readonly isDenied: boolean;
}

/**
 * Ends what is left of a job whose leader has ended: SIGTERM, a short grace period, SIGKILL until none is left.
 *
 * @param graceMs between SIGTERM and SIGKILL, at most `LEFTOVER_GRACE_MS`; 0 kills at once
 */
export async function endSurvivors(job: KillTarget, graceMs: number): Promise<Leftovers> {
  const found = new Set<string>();
  let targets = await leftOf(job);
  if (targets.length === 0 && hasGroup(job)) {
    killGroups([job.leader]);
    targets = await leftOf(job);
  }
  if (targets.length === 0) return { found: [], left: [], isDenied: false };
  // Those that carry the mark may end first: what was found to be the job's group once stays it.
  const sessions = new Set<number>();
  const known = {
    ...job,
    sessions,
    wasUnwatched: job.wasUnwatched === true && !targets.some(({ isInGroup }) => isInGroup),
  };
  const graceEnd = performance.now() + Math.min(graceMs, LEFTOVER_GRACE_MS);
  const end = graceEnd + KILL_WAIT_MS;
  const backoff = new Backoff(FIRST_CHECK_MS, LAST_CHECK_MS);
  while (targets.length > 0) {
    const now = performance.now();
    const groups = new Set(targets.flatMap(({ group }) => group ?? []));
    if (now >= graceEnd) {
      job.cgroup?.kill();
      killGroups(groups);
    }
    let denied = 0;
    for (const target of targets) {
      if (now >= graceEnd) denied += target.send("SIGKILL") === "DENIED" ? 1 : 0;
      else if (!found.has(target.name)) {
        target.send("SIGTERM");
        target.send("SIGCONT");
      }
      if (target.name !== UNSEEN) found.add(target.name);
      if (target.session !== undefined) sessions.add(target.session);
    }
    // What may not be signalled is not waited for. In a cgroup the kernel kills it all the same.
    const isDenied = denied === targets.length && job.cgroup?.isPopulated !== true;
    if (isDenied || now > end) return { found: [...found], left: targets.map(({ name }) => name), isDenied };
    // What was asked to end must be able to hear it.
    job.cgroup?.freeze(false);
    await backoff.wait();
    targets = await leftOf(known);
    if (targets.length > 0) continue;
    // None to be seen: but for one that forks and leaves at once, of which each look sees the one before.
    killGroups(hasGroup(known) ? groups.add(job.leader) : groups);
    targets = await leftOf(known);
  }
  return { found: [...found], left: [], isDenied: false };
}

/** Whether the leader's group has members, zombies among them; false where its number may be another's. */
function hasGroup(job: KillTarget): boolean {
  if (job.wasUnwatched) return false;
  const entry = readEntry(job.leader);
  return (entry === undefined || entry.startTime === job.startTime) && exists(-job.leader);
}

/**
 * Kills process groups of which a member was there at the last look: so soon their numbers cannot be others'. A signal to
 * a group reaches what is just being forked too, which one to each process does not.
 */
function killGroups(groups: Iterable<number>): void {
  for (const group of groups) sendNow(-group, "SIGKILL");
}

async function leftOf(job: KillTarget): Promise<Target[]> {
  // Most jobs leave nothing, and to read all of /proc takes longer (30 µs a process) than to start one.
  if (job.cgroup !== undefined && !job.cgroup.isPopulated && !exists(-job.leader)) return [];
  const end = performance.now() + TOO_EARLY_MS;
  const backoff = new Backoff(FIRST_CHECK_MS);
  while (true) {
    const left = await findSurvivors(job);
    if (left !== undefined) return left;
    if (performance.now() > end) return [];
    await backoff.wait();
  }
}

/** One process that is left, or the whole group where processes cannot be told apart. */
interface Target {
  readonly name: string;
  /** In the leader's group or session. */
  readonly isInGroup: boolean;
  /** Its session, unless that began outside of the job. */
  readonly session?: number | undefined;
  /** Its process group, where that has nobody else's processes in it. */
  readonly group?: number | undefined;
  send(signal: Deno.Signal): Delivery;
}

/** What forks and leaves at once is missed by every look; that there is something, its cgroup knows. */
const UNSEEN = "unseen";

/** Undefined where none is found, and that may be too early to say. */
async function findSurvivors(job: KillTarget): Promise<Target[] | undefined> {
  const scanned = await scanProcesses();
  if (scanned === undefined) {
    // Without /proc there is still the group, as long as it has members: then its id is nobody else's.
    const isGroup = !job.wasUnwatched && exists(-job.leader);
    if (!isGroup && job.cgroup?.isPopulated !== true) return [];
    const sendAll = (signal: Deno.Signal) => {
      job.cgroup?.signal(signal);
      return isGroup ? sendNow(-job.leader, signal) : "SENT";
    };
    return [{ name: "group", isInGroup: isGroup, send: sendAll }];
  }
  // Pid and start time together name one process for ever.
  const entries = new Map(membersOf(scanned, job).map((entry) => [nameOf(entry), entry]));
  for (const pid of job.cgroup?.isPopulated ? job.cgroup.pids() : []) {
    const entry = readEntry(pid);
    if (entry !== undefined && !entry.zombie) entries.set(nameOf(entry), entry);
  }
  if (entries.size === 0 && job.cgroup?.isPopulated === true) {
    const send = (signal: Deno.Signal) => {
      job.cgroup?.signal(signal);
      return "SENT" as const;
    };
    return [{ name: UNSEEN, isInGroup: false, send }];
  }
  if (entries.size === 0 && job.cgroup === undefined && scanIsInconclusive(scanned, job)) return undefined;
  const others = scanned.filter((entry) => !entry.zombie && !entries.has(nameOf(entry)));
  const othersGroups = new Set(others.map(({ pgrp }) => pgrp));
  // The id of a session is the pid of the process that made it.
  const othersSessions = new Set(others.map(({ pid }) => pid));
  return [...entries].map(([name, entry]) => ({
    name,
    session: entry.session > 1 && !othersSessions.has(entry.session) ? entry.session : undefined,
    group: entry.pgrp > 1 && !othersGroups.has(entry.pgrp) ? entry.pgrp : undefined,
    isInGroup: entry.session === job.leader || entry.pgrp === job.leader,
    send: (signal) => kill(entry, signal),
  }));
}

function nameOf(entry: ProcessEntry): string {
  return `${entry.pid}:${entry.startTime}`;
}

/** Signals one process, having looked again that the pid is still that process's. */
function kill(entry: ProcessEntry, signal: Deno.Signal): Delivery {
  return readEntry(entry.pid)?.startTime === entry.startTime ? sendNow(entry.pid, signal) : "GONE";
}
