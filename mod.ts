/**
 * Runs processes and keeps their output. It starts, stops and signals process groups, and watches their status. Any number
 * of watchers get the output from the first byte, then live.
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
 * for await (const chunk of supervisor.watchOutput(id)) text += decoder.decode(chunk.data, { stream: true });
 * const status = await supervisor.status(id);
 * console.assert(text === "hello\n" && status.state === "EXITED" && status.exitCode === 7);
 * ```
 *
 * @module
 */
export { signalName } from "./base/signals.ts";
export * from "./worker/errors.ts";
export * from "./worker/input_errors.ts";
export * from "./worker/storage_errors.ts";
export type { StartErrorCode } from "./worker/launch/failure.ts";
export type { InputChunk, InputOptions, InputResult, InputState } from "./worker/process/stdin.ts";
export { Cgroup, type CgroupUsage } from "./worker/cgroup/cgroup.ts";
export type { CgroupLimits } from "./base/job_options/cgroup_limits.ts";
export type { Rlimits } from "./base/job_options/rlimits.ts";
export type {
  ExecutionOptions,
  Isolation,
  JobOnlyOptions,
  JobOptionValues,
  StatusOptions,
} from "./base/job_options/table.ts";
export type { Controller } from "./worker/cgroup/limits.ts";
export { CgroupUnavailableError } from "./worker/cgroup/delegation.ts";
export { CgroupTree, type CgroupTreeOptions, makeRoomForJobHost } from "./worker/cgroup/tree.ts";
export type { AnyJob, OutputEnd } from "./worker/job/any_job.ts";
export { Job, type JobRecorder } from "./worker/job/job.ts";
export type { JobOptions, JobSpec, JobStatus, OutputCounts, PlacementStatus } from "./worker/job/spec.ts";
export { OutputLog, type OutputLogOptions } from "./worker/output/log.ts";
export type { OutputTotals } from "./worker/output/totals.ts";
export { OutputBudget, type OutputLimit, type OutputPolicy } from "./worker/output/limit.ts";
export type { OutputChunk } from "./worker/output/chunk.ts";
export type { Stream, StreamOffsets } from "./worker/output/frame.ts";
export type { OutputSelection } from "./worker/output/follow.ts";
export type * from "./worker/host/job_hosts.ts";
export type * from "./worker/host/link.ts";
export type { ByteStream } from "./worker/host/socket/message_connection.ts";
export * from "./worker/engine/engine.ts";
export type * from "./worker/engine/placing.ts";
export { SlurmEngine, type SlurmEngineOptions } from "./worker/engine/slurm/slurm_engine.ts";
export { Process } from "./worker/process/process.ts";
export type { ProcessOptions, StopOptions } from "./worker/process/options.ts";
export type { OutputSink } from "./worker/process/pump.ts";
export type { CommandOptions } from "./worker/launch/command.ts";
export type { TerminalSize } from "./worker/terminal/size.ts";
export { hasTags } from "./worker/process/tags.ts";
export { keepFromJobs } from "./worker/launch/inheritance.ts";
export { type LinuxSignal, parseSignal } from "./worker/linux/signals.ts";
export {
  type ExitReport,
  isFinalState,
  isInitialState,
  isRunningState,
  type ProcessStatus,
  type Reason,
  type RequestedBy,
  type SentSignal,
  type State,
} from "./worker/process/state.ts";
export type { JobFilter } from "./worker/job/filter.ts";
export type { JobOrder } from "./worker/store/list_query.ts";
export { type DeadHostsReport, endDeadHosts } from "./worker/supervisor/dead_hosts.ts";
export { Supervisor } from "./worker/supervisor/supervisor.ts";
export type { SupervisorStatistics } from "./worker/supervisor/statistics.ts";
export type { JobEvent } from "./worker/supervisor/job_events.ts";
export type { JobPage, ListOptions } from "./worker/supervisor/list_page.ts";
export { checkLimits, type JobLimits, type Limits } from "./worker/supervisor/job_limits.ts";
export type { ClosingSignal } from "./worker/supervisor/closing_signals.ts";
export type { SupervisorOptions } from "./worker/supervisor/options.ts";
export type { Usage, UsageSource } from "./worker/process/usage.ts";
export type { Watch } from "./worker/watch.ts";
