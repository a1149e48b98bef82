/**
 * Runs processes and keeps what they write: start, stop and signal process groups, watch their status, and stream their
 * output from the first byte, then live, for any number of watchers.
 *
 * @example Run a job and read its output
 * ```ts
 * import { Supervisor } from "@teleport/worker";
 *
 * await using supervisor = new Supervisor();
 * const id = await supervisor.add("sh", ["-c", "echo hello; exit 7"]);
 * await supervisor.start(id);
 * let text = "";
 * const decoder = new TextDecoder();
 * for await (const piece of supervisor.watchOutput(id)) text += decoder.decode(piece.data, { stream: true });
 * const status = await supervisor.status(id);
 * console.assert(text === "hello\n" && status.state === "EXITED" && status.exitCode === 7);
 * ```
 *
 * @module
 */
export * from "./worker/errors.ts";
export type { InputOptions, InputPiece, InputState, InputTaken } from "./worker/input.ts";
export { Cgroup, type CgroupUsage } from "./worker/cgroup.ts";
export type { CgroupLimits, Controller } from "./worker/cgroup_limits.ts";
export { CgroupUnavailableError } from "./worker/cgroup_delegation.ts";
export { CgroupTree, type CgroupTreeOptions } from "./worker/cgroup_tree.ts";
export { Job, type JobRecorder, type OutputEnd } from "./worker/job.ts";
export type { JobOptions, JobSpec, JobStatus, OutputCounts } from "./worker/job_spec.ts";
export { OutputLog, type OutputLogOptions, type OutputTotals } from "./worker/output_log.ts";
export { OutputBudget, type OutputLimit, type OutputPolicy } from "./worker/output_limit.ts";
export type { OutputPiece } from "./worker/output_piece.ts";
export type { Stream, StreamOffsets } from "./worker/output_record.ts";
export type { OutputSelection } from "./worker/output_watch.ts";
export { Process, type ProcessOptions, type StopOptions } from "./worker/process.ts";
export type { OutputSink } from "./worker/process_output.ts";
export type { CommandOptions, Isolation } from "./worker/command.ts";
export type { Rlimits } from "./worker/command_limits.ts";
export { hasTags } from "./worker/process_tags.ts";
export { keepFromJobs } from "./worker/host_inheritance.ts";
export { type LinuxSignal, parseSignal, signalName } from "./worker/signals.ts";
export {
  type Asked,
  type EndRecord,
  isFinalState,
  isInitialState,
  isRunningState,
  type ProcessStatus,
  type Reason,
  type SentSignal,
  type StartErrorCode,
  type State,
} from "./worker/state.ts";
export type { JobFilter } from "./worker/job_filter.ts";
export type { JobOrder } from "./worker/store_query.ts";
export { Supervisor } from "./worker/supervisor.ts";
export type { SupervisorStatistics } from "./worker/supervisor/statistics.ts";
export type { JobEvent } from "./worker/supervisor_events.ts";
export type { JobPage, ListOptions } from "./worker/supervisor_list.ts";
export { checkLimits, type JobLimits, type Limits } from "./worker/supervisor_limits.ts";
export type { ClosingSignal } from "./worker/supervisor/closing_signals.ts";
export type { SupervisorOptions } from "./worker/supervisor_options.ts";
export type { Usage, UsageSource } from "./worker/usage.ts";
export type { Watch } from "./worker/watch.ts";
