/** Gathers the details of a change of a running job: its processes, its output, and who caused the change. */
import { defined } from "../../base/defined.ts";
import type { OutputLog } from "../output/log.ts";
import type { Process } from "../process/process.ts";
import { isFinalState, type ProcessStatus } from "../process/state.ts";
import type { StatusDetails, StoredProcess } from "./status_details.ts";

/** A change of a job, as its recorder gets it. */
export interface RecordedChange {
  readonly process: Process;
  readonly status: ProcessStatus;
  readonly log: OutputLog;
  /** The user who requested a start. */
  readonly by?: string | undefined;
}

/**
 * Returns the details of a change. A final change transfers the disk space of the output to the caller.
 *
 * @param place identifies where the job runs
 */
export function changeDetails(
  { process, status, log, by }: RecordedChange,
  place: Pick<StoredProcess, "bootId" | "cgroup" | "host">,
): StatusDetails {
  const { startTime, tag, endCause } = process;
  return {
    process: { ...place, ...defined({ leader: "pid" in status ? status.pid : undefined, startTime, tag }) },
    ...defined({ reason: endCause?.reason, by: by ?? endCause?.by }),
    ...(isFinalState(status.state)
      ? { output: { end: log.end, totals: log.totals() }, outputBytes: log.transferQuota() }
      : {}),
  };
}
