/**
 * Decides which processes in /proc belong to a job. They are its process group, its session, their descendants, and
 * every process with the job's tag or mark.
 */
import { type ProcessEntry, readHardLimit } from "../linux/procfs.ts";
import { markOf } from "./mark.ts";

/** The facts by which a job's processes are recognised. */
export interface Membership {
  /** The pid of the leader, which is also the id of its process group and of its session. */
  readonly leader: number;
  /** The leader's start time, in clock ticks since boot. No process of the job is older. */
  readonly startTime: number;
  /** The tag that every process of the job inherits, see tags.ts. Absent if the job has no tag. */
  readonly tag?: string;
  /** The mark in the environment of the job's processes, see mark.ts. A process can clear it. */
  readonly mark: string;
  /**
   * True if nobody watched the leader until now, as after a restart of the server. Another process may have had its pid
   * since, ended, and left a group or session with that number. So the group and session count only while the leader
   * exists, or while one of their processes carries the mark or the tag.
   */
  readonly wasUnwatched?: boolean;
  /** Other sessions in which a process of the job was seen. All their processes belong to the job. */
  readonly sessions?: ReadonlySet<number>;
}

/**
 * Returns the living processes of a job.
 *
 * The group and the session do not count once the leader's pid belongs to another process. The kernel reuses no pid
 * that is still the id of a group or session, so they are gone by then.
 *
 * @param entries all processes of the host
 */
export function membersOf(entries: readonly ProcessEntry[], job: Membership): ProcessEntry[] {
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  const leader = byPid.get(job.leader);
  // Before setsid(1) has run, the leader is in the group and session of this process.
  const isInGroup = ({ pid, session, pgrp }: ProcessEntry) =>
    session === job.leader || pgrp === job.leader || pid === job.leader;
  const isPidReused = leader !== undefined
    ? leader.startTime !== job.startTime
    : job.wasUnwatched === true && !entries.some((entry) => isInGroup(entry) && isMarked(entry, job));
  const verdicts = new Map<number, boolean>();
  const belongs = (entry: ProcessEntry): boolean => {
    const known = verdicts.get(entry.pid);
    if (known !== undefined) return known;
    verdicts.set(entry.pid, false);
    if (entry.startTime < job.startTime) return false;
    const parent = byPid.get(entry.ppid);
    const verdict = (!isPidReused && isInGroup(entry)) ||
      job.sessions?.has(entry.session) === true ||
      (parent !== undefined && parent.pid !== 1 && belongs(parent)) ||
      isMarked(entry, job);
    verdicts.set(entry.pid, verdict);
    return verdict;
  };
  return entries.filter((entry) => !entry.zombie && belongs(entry));
}

/** Returns true if a process carries the job's tag or mark. */
function isMarked(entry: ProcessEntry, job: Membership): boolean {
  const tag = job.tag === undefined ? undefined : tagOf(entry);
  if (tag !== undefined && tag === job.tag) return true;
  // A process with the tag of another job is not this job's. Reading the environment would take twice as long (25 µs).
  return !(tag !== undefined && TAG.test(tag)) && markOf(entry) === job.mark;
}

/**
 * Returns true if a scan that found no process of the job may have missed one. Call it only after `membersOf` found none.
 *
 * There are two ways to miss one. A process may end between the scan and the read of its mark, and leave another one. A
 * process without a tag has no environment during execve(2), so nothing identifies it once it lost its parent and left
 * the session.
 */
export function scanIsInconclusive(entries: readonly ProcessEntry[], job: Membership): boolean {
  const byPid = new Map(entries.map((entry) => [entry.pid, entry]));
  // These adopt orphans: init, or the nearest ancestor that is a subreaper.
  const adopters = new Set<number>();
  for (let entry = byPid.get(Deno.pid); entry !== undefined; entry = byPid.get(entry.ppid)) {
    if (adopters.has(entry.ppid)) break;
    adopters.add(entry.ppid);
  }
  // Processes of other jobs and of other programs start and end all the time. They must not delay this job.
  const isOtherJobs = ({ ppid, session }: ProcessEntry) => ppid === Deno.pid || byPid.get(session)?.ppid === Deno.pid;
  const verdicts = new Map<number, boolean>();
  const isUnknown = (entry: ProcessEntry): boolean => {
    const known = verdicts.get(entry.pid);
    if (known !== undefined) return known;
    verdicts.set(entry.pid, false);
    if (entry.startTime < job.startTime || isOtherJobs(entry) || isIdentified(entry, job)) return false;
    const parent = byPid.get(entry.ppid);
    const verdict = parent === undefined || parent.zombie || adopters.has(parent.pid) || isUnknown(parent);
    verdicts.set(entry.pid, verdict);
    return verdict;
  };
  return entries.some((entry) => !entry.zombie && isUnknown(entry));
}

/** Returns true if the tag or mark of a process can be read, so that `membersOf` could decide. */
function isIdentified(entry: ProcessEntry, job: Membership): boolean {
  return (job.tag === undefined ? markOf(entry) : tagOf(entry)) !== undefined;
}

/** The form of a tag. A real limit has fewer digits: 19 digits are at least 30,000 years. */
const TAG = /^[0-9]{19}$/;

/** The tags that were read. An entry lives as long as its scan, so this does not grow. */
const tags = new WeakMap<ProcessEntry, { readonly tag: string | undefined }>();

/** Returns the hard limit on real-time processor time. Undefined if the process is gone. */
function tagOf(entry: ProcessEntry): string | undefined {
  let read = tags.get(entry);
  if (read === undefined) {
    read = { tag: readHardLimit("realtime timeout", entry) };
    tags.set(entry, read);
  }
  return read.tag;
}
