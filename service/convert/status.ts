/** The status of a job as a message. */
import type { JobStatus, PlacementStatus } from "../../mod.ts";
import type { Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { statusFields } from "./job_options.ts";
import { timestamp } from "./timestamps.ts";
import { usageMessage } from "./usage.ts";

/** Returns the status of a job as a message. */
export function statusMessage(status: JobStatus): Sent<wire.JobStatus> {
  const usage = status.usage ?? status.exitReport?.usage;
  return {
    id: status.id,
    state: `STATE_${status.state}`,
    exit_code: status.exitCode,
    signal: status.signal,
    error: status.error,
    reason: status.reason === undefined ? undefined : `REASON_${status.reason}`,
    command: status.command,
    args: [...status.args],
    cwd: status.cwd,
    labels: { ...status.labels },
    owner: status.owner,
    registered_at: timestamp(status.registeredAt),
    started_at: status.startedAt && timestamp(status.startedAt),
    ended_at: status.endedAt && timestamp(status.endedAt),
    pid: status.pid,
    stopped_by: status.stoppedBy,
    stdout_bytes: status.stdoutBytes,
    stderr_bytes: status.stderrBytes,
    error_code: status.errorCode,
    max_output_bytes: status.outputLimit?.maxBytes,
    output_policy: status.outputLimit && `OUTPUT_POLICY_${status.outputLimit.policy}`,
    dropped_bytes: status.droppedBytes,
    ...statusFields(status),
    usage: usage && usageMessage(usage),
    term_sent_at: status.exitReport?.termSentAt && timestamp(status.exitReport.termSentAt),
    kill_sent_at: status.exitReport?.killSentAt && timestamp(status.exitReport.killSentAt),
    others_ended: status.exitReport?.survivorsEnded,
    others_left: status.exitReport?.survivorsLeft,
    paused: status.paused,
    paused_by: status.pausedBy,
    started_by: status.requestedBy?.startedBy,
    stop_asked_by: status.requestedBy?.stopAskedBy,
    terminal: status.terminal,
    placement: status.placement && placementMessage(status.placement),
    rerun_of: status.rerunOf,
    input: status.input !== undefined,
    input_bytes: status.input?.bytes,
    input_closed: status.input?.closed,
    signals: status.requestedBy?.signals?.map(({ by, signal, at }) => ({ by, signal, at: timestamp(at) })),
  };
}

function placementMessage(placement: PlacementStatus): Sent<wire.Placement> {
  return {
    handle: placement.handle,
    node: placement.node,
    waits_for: placement.waitsFor,
    unreachable_since: placement.unreachableSince && timestamp(placement.unreachableSince),
  };
}
