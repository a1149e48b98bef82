/** A job that has ended and has no process: it was read from the store. */
import { NoInputError, NoTerminalError } from "../input_errors.ts";
import { parseSignal } from "../linux/signals.ts";
import type { InputResult } from "../process/stdin.ts";
import { AnyJob } from "./any_job.ts";
import type { ReadableLog } from "../output/readable_log.ts";
import type { ProcessStatus } from "../process/state.ts";
import { hasInput, type JobSpec, type JobStatus, type PlacementStatus } from "./spec.ts";

/** A job that has ended and has no process. Its status never changes. */
export class EndedJob extends AnyJob {
  readonly #placement: PlacementStatus | undefined;

  /** @param placement where an engine had placed it; undefined for a job of this machine */
  constructor(spec: JobSpec, log: ReadableLog, status: ProcessStatus, placement?: PlacementStatus) {
    super(spec, log, status);
    this.#placement = placement;
  }

  override get placement(): PlacementStatus | undefined {
    return this.#placement;
  }

  /** Returns the final status: a job runs only once. */
  start(): Promise<JobStatus> {
    return Promise.resolve(this.status);
  }

  /** Returns the final status: there is nothing to stop. */
  stop(): Promise<JobStatus> {
    return Promise.resolve(this.status);
  }

  /**
   * @throws {InvalidSignalError} when Linux has no such signal
   * @throws {JobNotRunningError} always
   */
  signal(signal: string): Promise<JobStatus> {
    return Promise.try(() => {
      parseSignal(signal);
      throw this.notRunning("be sent a signal");
    });
  }

  /** @throws {JobNotRunningError} always */
  pause(): Promise<JobStatus> {
    return Promise.reject(this.notRunning("be paused"));
  }

  /** @throws {JobNotRunningError} always */
  resume(): Promise<JobStatus> {
    return Promise.reject(this.notRunning("be resumed"));
  }

  /**
   * @throws {NoTerminalError} when the job has no terminal
   * @throws {JobNotRunningError} otherwise
   */
  resize(): Promise<JobStatus> {
    return Promise.reject(
      this.spec.terminal === undefined ? new NoTerminalError(this.id) : this.notRunning("be resized"),
    );
  }

  /** Returns the final status. */
  measuredStatus(): Promise<JobStatus> {
    return Promise.resolve(this.status);
  }

  /**
   * @throws {NoInputError} when the job has no input
   * @throws {JobNotRunningError} otherwise
   */
  writeInput(): Promise<InputResult> {
    return Promise.reject(hasInput(this.spec) ? this.notRunning("be given input") : new NoInputError(this.id));
  }
}
