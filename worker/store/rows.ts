/** The rows that the store reads and writes. */
import { defined } from "../../base/defined.ts";
import type { FilteredJob } from "../job/filter.ts";
import type { JobSpec, PlacementStatus } from "../job/spec.ts";
import type { ChangeCause, StoredOutput, StoredProcess } from "../job/status_details.ts";
import { isFinalState, type ProcessStatus, type State } from "../process/state.ts";

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

/** Returns where an engine had placed a job that has ended. Undefined for other jobs, and in rows of older versions. */
export function endedPlacement(
  { status, process }: Pick<StoredJob, "status" | "process">,
): PlacementStatus | undefined {
  if (process?.placement === undefined || !isFinalState(status.state)) return undefined;
  const { engine, handle, node } = process.placement;
  return { engine, ...defined({ handle, node }) };
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
