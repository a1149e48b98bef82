/**
 * Which processes belong to a job: its process group, its session, their descendants, and those that carry the job's mark
 * in their environment.
 */
import { type ProcessEntry, readVariable } from "./process_table.ts";

/** What tells a job's processes from all others. */
export interface Membership {
  /** The leader's pid, which is the id of its process group and session too. */
  readonly leader: number;
  /** The leader's start time: nothing older belongs to it. */
  readonly startTime: number;
  /** The value of `MARK_VARIABLE` in the environment of every process of the job that has not cleared it. */
  readonly mark: string;
  /**
   * True where nobody watched the leader up to now. Its pid may have become another's since, who is gone too and left a
   * group or session of that number: it is believed only while the leader is there, or a member carries the mark.
   */
  readonly wasUnwatched?: boolean;
}

/** The variable by which processes are known that left the group and the session and lost their parent (daemons). */
export const MARK_VARIABLE = "TELEPORT_ID";

/**
 * Returns the living processes of a job among those read. Empty when the leader's pid is now another process's: then
 * the group is gone, for the kernel gives no pid away that is still a group's or session's id.
 */
export function membersOf(entries: readonly ProcessEntry[], job: Membership): ProcessEntry[] {
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  const leader = byPid.get(job.leader);
  const isInGroup = ({ session, pgrp }: ProcessEntry) => session === job.leader || pgrp === job.leader;
  const reused = leader !== undefined
    ? leader.startTime !== job.startTime
    : job.wasUnwatched === true && !entries.some((entry) => isInGroup(entry) && markOf(entry) === job.mark);
  const verdicts = new Map<number, boolean>();
  const belongs = (entry: ProcessEntry): boolean => {
    const known = verdicts.get(entry.pid);
    if (known !== undefined) return known;
    verdicts.set(entry.pid, false);
    if (entry.startTime < job.startTime) return false;
    const parent = byPid.get(entry.ppid);
    const verdict = (!reused && isInGroup(entry)) ||
      (parent !== undefined && parent.pid !== 1 && belongs(parent)) ||
      markOf(entry) === job.mark;
    verdicts.set(entry.pid, verdict);
    return verdict;
  };
  return entries.filter((entry) => !entry.zombie && belongs(entry));
}

/**
 * Whether it is too early to say of these processes that none is the job's. One may have ended between the look at it and
 * the look at its mark, and left another; and in the middle of an execve(2) a process has no environment, so that one
 * which lost its parent and left the session is known by nothing. To be asked after `membersOf` found none.
 */
export function isTooEarly(entries: readonly ProcessEntry[], job: Membership): boolean {
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  // One that lost its parent is a child of one of these: init, or the nearest that asked to be given orphans.
  const adopters = new Set<number>();
  for (let entry = byPid.get(Deno.pid); entry !== undefined; entry = byPid.get(entry.ppid)) {
    if (adopters.has(entry.ppid)) break;
    adopters.add(entry.ppid);
  }
  // Processes of other jobs, and of others' programs, come and go all the time, and must not hold this job up.
  const isAnothers = ({ ppid, session }: ProcessEntry) => ppid === Deno.pid || byPid.get(session)?.ppid === Deno.pid;
  const verdicts = new Map<number, boolean>();
  const isUnknown = (entry: ProcessEntry): boolean => {
    const known = verdicts.get(entry.pid);
    if (known !== undefined) return known;
    verdicts.set(entry.pid, false);
    if (entry.startTime < job.startTime || isAnothers(entry) || markOf(entry) !== undefined) return false;
    const parent = byPid.get(entry.ppid);
    const verdict = parent === undefined || parent.zombie || adopters.has(parent.pid) || isUnknown(parent);
    verdicts.set(entry.pid, verdict);
    return verdict;
  };
  return entries.some((entry) => !entry.zombie && isUnknown(entry));
}

/** Marks already read: an entry lives as long as its reading, so this holds no more than that. */
const marks = new WeakMap<ProcessEntry, { readonly mark: string | null | undefined }>();

/** Null: it has none. Undefined: that cannot be told yet. */
function markOf(entry: ProcessEntry): string | null | undefined {
  let read = marks.get(entry);
  if (read === undefined) {
    read = { mark: readVariable(MARK_VARIABLE, entry) };
    marks.set(entry, read);
  }
  return read.mark;
}
