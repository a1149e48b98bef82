/** The rows that the store reads and writes. */
import type { FilteredJob } from "../job/filter.ts";
import type { JobSpec } from "../job/spec.ts";
import type { LogPosition } from "../output/cursor.ts";
import type { OutputTotals } from "../output/totals.ts";
import type { ProcessStatus, Reason, State } from "../process/state.ts";

/** The facts that identify the processes of a job, also after the server has died. */
export interface StoredProcess {
  /** The id of the boot. Pids have no meaning in another boot. */
  readonly bootId: string;
  /** The pid of the leader. Absent when the job was about to start. */
  readonly leader?: number;
  /** The start time of the leader, in clock ticks since boot. */
  readonly startTime?: number;
  /** The tag that all processes of the job inherit. Absent when it was not set, and in rows of older versions. */
  readonly tag?: string;
  /** The directory of the job's cgroup. Absent when it has none. */
  readonly cgroup?: string;
}

/** The totals of a job's output. */
export interface StoredOutput {
  readonly end: LogPosition;
  readonly totals: OutputTotals;
}

/** A job in the store. */
export interface StoredJob {
  /** Counts registrations: a newer job has a greater key, even if the clock went back. */
  readonly key: number;
  /** The number of the job's last change. */
  readonly seq: number;
  readonly spec: JobSpec;
  readonly status: ProcessStatus;
  readonly process?: StoredProcess;
  readonly output?: StoredOutput;
  /** The time by which the job was sorted, in ms since 1970. Absent in the order of registration. */
  readonly sortedAt?: number;
}

/** Why a job's status changed, and which user requested it. */
export interface ChangeCause {
  readonly reason?: Reason;
  readonly by?: string;
}

/** The details that are stored with a status. */
export interface StatusDetails extends ChangeCause {
  readonly process?: StoredProcess;
  readonly output?: StoredOutput;
  /** The bytes of the output on the disk. */
  readonly outputBytes?: number;
}

/** The part of a removed job that the store keeps for a while, for watchers of many jobs. */
export interface Tombstone extends FilteredJob {
  readonly status: ProcessStatus;
}

/** One change of a job. Changes are numbered in the order in which they happened. */
export type StoredChange =
  & { readonly seq: number; readonly at: Date; readonly was: State | undefined }
  & ({ readonly job: StoredJob; readonly cause: ChangeCause } | { readonly removed: Tombstone });

/** The part of an ended job that retention needs. */
export interface EndedJob {
  readonly key: number;
  readonly id: string;
  readonly endedAt: Date;
}

/** A request id that was used before. */
export interface StoredRequest {
  /** The id of the job. */
  readonly id: string;
  /** The digest of the request. */
  readonly digest: string;
  /** True when the job was removed. */
  readonly isRemoved: boolean;
}
