/**
 * Finds the survivors of a job: the processes that are left after its leader's exit.
 *
 * A cgroup lists its processes, whatever they do, but a process of root can leave it. So a job with a cgroup is looked
 * for in /proc too. Without a cgroup, /proc is the only source.
 */
import { Backoff } from "../../base/backoff.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { type ProcessEntry, readEntry, scanProcesses } from "../linux/procfs.ts";
import { type Delivery, exists, sendNow, signalEntry } from "../linux/signals.ts";
import { type Membership, membersOf, scanIsInconclusive } from "./members.ts";

/** A job whose processes are to be ended. */
export interface KillTarget extends Membership {
  /** Absent if the job has no cgroup. */
  readonly cgroup?: Cgroup | undefined;
}

/** One process that is left, or several that cannot be listed. */
export interface Survivor {
  /** Pid and start time, which identify a process until the next boot; or a word for processes that cannot be listed. */
  readonly name: string;
  /** True if it is in the leader's group or session. */
  readonly isInGroup: boolean;
  /** The session, if it began in the job. */
  readonly session?: number | undefined;
  /** The process group, if all its processes belong to the job. */
  readonly group?: number | undefined;
  send(signal: Deno.Signal): Delivery;
}

/** All processes of the host. Undefined if /proc cannot be read. */
export type Scan = readonly ProcessEntry[] | undefined;

/** One source of a job's processes. */
export interface SurvivorFinder {
  /** Returns the processes that the source lists. */
  find(scan: Scan): readonly ProcessEntry[];
  /** Returns processes that exist although no source lists them. Undefined if the source reports none. */
  unlisted(scan: Scan): Survivor | undefined;
}

/** Finds processes in /proc. */
export class ProcFinder implements SurvivorFinder {
  readonly #job: Membership;

  constructor(job: Membership) {
    this.#job = job;
  }

  find(scan: Scan): readonly ProcessEntry[] {
    return scan === undefined ? [] : membersOf(scan, this.#job);
  }

  /** Without /proc the process group can still be signalled. Its id is the job's as long as it has members. */
  unlisted(scan: Scan): Survivor | undefined {
    const { leader, wasUnwatched } = this.#job;
    if (scan !== undefined || wasUnwatched || !exists(-leader)) return undefined;
    return { name: "group", isInGroup: true, send: (signal) => sendNow(-leader, signal) };
  }
}

/** The name of a survivor that stands for processes which each scan misses, because they fork and end at once. */
export const UNLISTED = "unlisted";

/** Finds processes in a cgroup. */
export class CgroupFinder implements SurvivorFinder {
  readonly #cgroup: Cgroup;

  constructor(cgroup: Cgroup) {
    this.#cgroup = cgroup;
  }

  find(scan: Scan): readonly ProcessEntry[] {
    if (scan === undefined || !this.#cgroup.isPopulated) return [];
    const entries = this.#cgroup.pids().map(readEntry);
    return entries.filter((entry) => entry !== undefined && !entry.zombie) as ProcessEntry[];
  }

  unlisted(): Survivor | undefined {
    if (!this.#cgroup.isPopulated) return undefined;
    const send = (signal: Deno.Signal) => {
      this.#cgroup.signal(signal);
      return "SENT" as const;
    };
    return { name: UNLISTED, isInGroup: false, send };
  }
}

/** The sources of a job's processes. */
function findersOf(job: KillTarget): SurvivorFinder[] {
  const proc = new ProcFinder(job);
  return job.cgroup === undefined ? [proc] : [proc, new CgroupFinder(job.cgroup)];
}

/** The longest time for which an inconclusive scan is repeated. On some hosts every scan is inconclusive. */
const RESCAN_MS = 100;
const FIRST_RESCAN_MS = 2;

/** Returns the survivors of a job. */
export async function findSurvivors(job: KillTarget): Promise<Survivor[]> {
  // Most jobs leave nothing. A scan of /proc takes longer than a start: 30 µs a process.
  if (job.cgroup !== undefined && !job.cgroup.isPopulated && !exists(-job.leader)) return [];
  const end = performance.now() + RESCAN_MS;
  const backoff = new Backoff(FIRST_RESCAN_MS);
  while (true) {
    const survivors = await scanSurvivors(job);
    if (survivors !== undefined) return survivors;
    if (performance.now() > end) return [];
    await backoff.wait();
  }
}

/** Returns the survivors by one scan. Undefined if it found none but may have missed one. */
async function scanSurvivors(job: KillTarget): Promise<Survivor[] | undefined> {
  const scan = await scanProcesses();
  const finders = findersOf(job);
  const entries = new Map(finders.flatMap((finder) => finder.find(scan)).map((entry) => [nameOf(entry), entry]));
  if (entries.size === 0) {
    const unlisted = finders.flatMap((finder) => finder.unlisted(scan) ?? []);
    const isInconclusive = unlisted.length === 0 && scan !== undefined && job.cgroup === undefined &&
      scanIsInconclusive(scan, job);
    return isInconclusive ? undefined : unlisted;
  }
  const others = (scan ?? []).filter((entry) => !entry.zombie && !entries.has(nameOf(entry)));
  const othersGroups = new Set(others.map(({ pgrp }) => pgrp));
  // The id of a session is the pid of the process that created it.
  const othersSessions = new Set(others.map(({ pid }) => pid));
  return [...entries].map(([name, entry]) => {
    const { pid, pgrp, session } = entry;
    const isLeader = pid === job.leader;
    // Before setsid(1) has run, the leader is in the session of the job host.
    const hasOwn = !isLeader || session === job.leader;
    return {
      name,
      session: hasOwn && session > 1 && !othersSessions.has(session) ? session : undefined,
      group: hasOwn && pgrp > 1 && !othersGroups.has(pgrp) ? pgrp : undefined,
      isInGroup: isLeader || session === job.leader || pgrp === job.leader,
      send: (signal) => signalEntry(entry, signal),
    };
  });
}

/** Returns the name of a process as a survivor. */
export function nameOf({ pid, startTime }: ProcessEntry): string {
  return `${pid}:${startTime}`;
}
