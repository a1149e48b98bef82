/** What the store gives and takes: plain rows. */
import type { FilteredJob } from "../job/filter.ts";
import type { JobSpec } from "../job/spec.ts";
import type { LogPosition } from "../output/cursor.ts";
import type { OutputTotals } from "../output/totals.ts";
import type { ProcessStatus, Reason, State } from "../process/state.ts";

/** What tells a job's processes from all others, also after the server's end. */
export interface StoredProcess {
  /** Of the system's start: pids mean nothing beyond it. */
  readonly bootId: string;
  /** Undefined where the job was about to start. */
  readonly leader?: number;
  /** In clock ticks since boot. */
  readonly startTime?: number;
  /** The tag that everything of it inherited; absent where it was given none, and in rows of older versions. */
  readonly tag?: string;
  /** The directory of its cgroup, where it was to have one. */
  readonly cgroup?: string;
}

/** What a job's output amounts to. */
export interface StoredOutput {
  readonly end: LogPosition;
  readonly totals: OutputTotals;
}

/** A job as it stands in the store. */
export interface StoredJob {
  /** Counts registrations: newer jobs have greater ones, whatever the clock did. */
  readonly key: number;
  /** Of its last change. */
  readonly seq: number;
  readonly spec: JobSpec;
  readonly status: ProcessStatus;
  readonly process?: StoredProcess;
  readonly output?: StoredOutput;
  /** The time by which it was sorted, in ms since 1970; absent in the order of registration. */
  readonly sortedAt?: number;
}

/** Why a job's status changed, and who asked. */
export interface Cause {
  readonly reason?: Reason;
  readonly by?: string;
}

/** What comes to be known with a change. */
export interface StatusDetails extends Cause {
  readonly process?: StoredProcess;
  readonly output?: StoredOutput;
  /** What the output takes on the disk. */
  readonly outputBytes?: number;
}

/** What is remembered for a while of a job that was forgotten, for those who watch many. */
export interface Tombstone extends FilteredJob {
  readonly status: ProcessStatus;
}

/** One change, in the order in which they happened. */
export type StoredChange =
  & { readonly seq: number; readonly at: Date; readonly was: State | undefined }
  & ({ readonly job: StoredJob; readonly cause: Cause } | { readonly removed: Tombstone });

/** A job that has ended, as far as it matters for when it is forgotten. */
export interface EndedJob {
  readonly key: number;
  readonly id: string;
  readonly endedAt: Date;
}

/** A request id that was used before. */
export interface StoredRequest {
  readonly id: string;
  readonly digest: string;
  /** Whether the job was forgotten since. */
  readonly isRemoved: boolean;
}
