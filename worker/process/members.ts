/**
 * Which processes belong to a job: its process group, its session, their descendants, and those that carry the job's tag,
 * or its mark in their environment.
 */
import { type ProcessEntry, readHardLimit, readVariable } from "../linux/procfs.ts";

/** What tells a job's processes from all others. */
export interface Membership {
  /** The leader's pid, which is the id of its process group and session too. */
  readonly leader: number;
  /** The leader's start time: nothing older belongs to it. */
  readonly startTime: number;
  /** The tag that every process of the job inherited, see process_tags.ts; absent where it was given none. */
  readonly tag?: string;
  /** The value of `MARK_VARIABLE` in the environment of every process of the job that has not cleared it. */
  readonly mark: string;
  /**
   * True where nobody watched the leader up to now. Its pid may have become another's since, who is gone too and left a
   * group or session of that number: it is believed only while the leader is there, or a member carries the mark or the tag.
   */
  readonly wasUnwatched?: boolean;
  /**
   * Other sessions in which a process of the job was seen. All of such a session is the job's, also what ends before its
   * tag is read.
   */
  readonly sessions?: ReadonlySet<number>;
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
    : job.wasUnwatched === true && !entries.some((entry) => isInGroup(entry) && isMarked(entry, job));
  const verdicts = new Map<number, boolean>();
  const belongs = (entry: ProcessEntry): boolean => {
    const known = verdicts.get(entry.pid);
    if (known !== undefined) return known;
    verdicts.set(entry.pid, false);
    if (entry.startTime < job.startTime) return false;
    const parent = byPid.get(entry.ppid);
    const verdict = (!reused && isInGroup(entry)) ||
      job.sessions?.has(entry.session) === true ||
      (parent !== undefined && parent.pid !== 1 && belongs(parent)) ||
      isMarked(entry, job);
    verdicts.set(entry.pid, verdict);
    return verdict;
  };
  return entries.filter((entry) => !entry.zombie && belongs(entry));
}

/** Whether a process carries the tag of a job, or its mark. */
function isMarked(entry: ProcessEntry, job: Membership): boolean {
  const tag = job.tag === undefined ? undefined : tagOf(entry);
  if (tag !== undefined && tag === job.tag) return true;
  // The tag of another job says enough. Reading the environment takes twice as long (25 µs).
  return !(tag !== undefined && TAG.test(tag)) && markOf(entry) === job.mark;
}

/**
 * Whether it is too early to say of these processes that none is the job's. One may have ended between the look at it and
 * the look at its mark, and left another; and without a tag, one in the middle of an execve(2) has no environment, so
 * that nothing tells whose it is once it lost its parent and left the session. To be asked after `membersOf` found none.
 */
export function scanIsInconclusive(entries: readonly ProcessEntry[], job: Membership): boolean {
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
    if (entry.startTime < job.startTime || isAnothers(entry) || isKnown(entry, job)) return false;
    const parent = byPid.get(entry.ppid);
    const verdict = parent === undefined || parent.zombie || adopters.has(parent.pid) || isUnknown(parent);
    verdicts.set(entry.pid, verdict);
    return verdict;
  };
  return entries.some((entry) => !entry.zombie && isUnknown(entry));
}

/** Whether it can be told that a process is not the job's. */
function isKnown(entry: ProcessEntry, job: Membership): boolean {
  return (job.tag === undefined ? markOf(entry) : tagOf(entry)) !== undefined;
}

/** Tags are of this length, and no real limit is: it would be one of 30,000 years at least. */
const TAG = /^[0-9]{19}$/;

/** Tags already read; as marks. */
const tags = new WeakMap<ProcessEntry, { readonly tag: string | undefined }>();

/** The hard limit on real-time processor time; undefined when the process is gone. */
function tagOf(entry: ProcessEntry): string | undefined {
  let read = tags.get(entry);
  if (read === undefined) {
    read = { tag: readHardLimit("realtime timeout", entry) };
    tags.set(entry, read);
  }
  return read.tag;
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
