/** The ends of jobs whose host reports none: those that never started, and those that were lost. */
import { createHash } from "node:crypto";
import { defined } from "../../base/defined.ts";
import type { JobChange } from "../host/link.ts";
import type { StatusDetails } from "../job/status_details.ts";
import { LOG_START } from "../output/cursor.ts";
import { recoverLog } from "../output/restore.ts";
import type { ProcessStatus, Reason } from "../process/state.ts";

/** The end of a job. */
export type PlacedEnd = Pick<JobChange, "status" | "details">;

/** Why a job ends without having started. */
export interface NeverStarted {
  readonly reason: Reason;
  readonly error: string;
  /** The user who requested the end. Absent if no user did. */
  readonly by?: string;
}

/** Returns the end of a job that was never started. */
export function failedEnd({ reason, error, by }: NeverStarted): PlacedEnd {
  const digest = new Uint8Array(createHash("sha256").digest());
  const totals = { stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0, stdoutSha256: digest, stderrSha256: digest };
  return {
    status: { state: "FAILED", reason, error, errorCode: "SPAWN_FAILED", endedAt: new Date() },
    details: { reason, ...defined({ by }), output: { end: LOG_START, totals }, outputBytes: 0 },
  };
}

/**
 * Returns the end of a job whose end nobody saw, with the output that has arrived.
 *
 * @param directory the directory of its output
 * @param onError receives the reason when the output cannot be read; the details have no totals then
 */
export async function lostEnd(
  id: string,
  status: ProcessStatus,
  why: string,
  { directory, onError }: { readonly directory: string; readonly onError: (error: unknown) => void },
): Promise<PlacedEnd> {
  const { startedAt, pid, requestedBy } = status as { startedAt?: Date; pid?: number } & ProcessStatus;
  const error = `The host of the job does not report, so the end of the job is unknown: ${why}`;
  return {
    status: { state: "LOST", reason: "LOST", error, ...defined({ startedAt, pid, requestedBy }) },
    details: { reason: "LOST", ...await arrivedOutput(id, directory, onError) },
  };
}

async function arrivedOutput(
  id: string,
  directory: string,
  onError: (error: unknown) => void,
): Promise<Pick<StatusDetails, "output" | "outputBytes">> {
  try {
    const log = await recoverLog(id, { directory });
    return { output: { end: log.end, totals: log.totals() }, outputBytes: log.transferQuota() };
  } catch (error) {
    onError(error);
    return {};
  }
}
