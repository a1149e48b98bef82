/** The common part of a job with a process and of a job that ended before the restart: status, output and watchers. */
import { JobNotFoundError, JobNotRunningError } from "../errors.ts";
import { DEFAULT_GRACE_MS } from "../launch/command.ts";
import type { OutputChunk } from "../output/chunk.ts";
import { type OutputSelection, readOutput } from "../output/follow.ts";
import type { ReadableLog } from "../output/readable_log.ts";
import type { LogPosition } from "../output/cursor.ts";
import type { OutputTotals } from "../output/totals.ts";
import type { StopOptions } from "../process/options.ts";
import { isFinalState, isInitialState, isRunningState, type ProcessStatus } from "../process/state.ts";
import type { InputChunk, InputOptions, InputResult } from "../process/stdin.ts";
import type { TerminalSize } from "../terminal/size.ts";
import { type Watch, watch } from "../watch.ts";
import { StatusHistory } from "./history.ts";
import { type JobSpec, type JobStatus, jobStatus, type OutputCounts, type PlacementStatus } from "./spec.ts";

/** The summary of a job's output, which ends `watchOutput`. */
export interface OutputEnd extends OutputTotals {
  /** The cursor after all output that the watch covered. */
  readonly cursor: string;
  readonly status: JobStatus;
}

/** A job, with or without a process. */
export abstract class AnyJob {
  /** The properties that do not change. */
  readonly spec: JobSpec;
  protected readonly log: ReadableLog;
  protected readonly history: StatusHistory;

  constructor(spec: JobSpec, log: ReadableLog, status: ProcessStatus) {
    this.spec = spec;
    this.log = log;
    this.history = new StatusHistory(status, () => this.outage);
  }

  /**
   * Starts the job, and resolves when the start is known: the job is starting, running, or failed to start.
   *
   * @param by the user who requests the start
   * @throws {NotRecordedError} when the start cannot be stored; the job is not started then
   * @throws {HostExhaustedError} when the host lacks resources for it now; the job stays in `INITIAL`
   */
  async begin(by?: string): Promise<void> {
    const ended = this.start(by);
    if (this.isInitialState) await ended;
  }

  /** Starts the job and resolves with its final status. */
  abstract start(by?: string): Promise<JobStatus>;
  /** Stops the job and resolves with its final status. */
  abstract stop(options?: StopOptions): Promise<JobStatus>;
  /** Sends a signal to the job's process group. */
  abstract signal(signal: string, by?: string): Promise<JobStatus>;
  /** Pauses all processes of the job. */
  abstract pause(by?: string): Promise<JobStatus>;
  /** Resumes all processes of the job. */
  abstract resume(): Promise<JobStatus>;
  /** Changes the size of the job's terminal. */
  abstract resize(size: TerminalSize): Promise<JobStatus>;
  /** Returns the status with what the job uses now, while it runs. */
  abstract measuredStatus(): Promise<JobStatus>;
  /** Writes to the job's input. */
  abstract writeInput(chunks: AsyncIterable<InputChunk>, options?: InputOptions): Promise<InputResult>;

  get id(): string {
    return this.spec.id;
  }

  /** True before the first start. */
  get isInitialState(): boolean {
    return isInitialState(this.history.latest.state);
  }

  /** True from the start until the job has ended and its last byte of output is stored. */
  get isRunningState(): boolean {
    return isRunningState(this.history.latest.state);
  }

  /** True once the status can no longer change. */
  get isFinalState(): boolean {
    return isFinalState(this.history.latest.state);
  }

  /** The number of watchers of the job's status or output. */
  get watchers(): number {
    return this.history.readers + this.log.reader.count;
  }

  /** Why nothing is known of the job now, although it runs. Undefined while its changes arrive. */
  get outage(): Error | undefined {
    return undefined;
  }

  /** Makes watchers that wait look at the outage. */
  wakeWatchers(): void {
    this.history.touch();
    this.log.wakeReaders?.();
  }

  /** The status now. */
  get status(): JobStatus {
    return this.statusOf(this.history.latest);
  }

  /** The amount of output now. */
  get output(): OutputCounts {
    const { stdout, stderr } = this.log.end.offsets;
    return { stdoutBytes: stdout, stderrBytes: stderr, droppedBytes: this.log.droppedBytes };
  }

  /** The place in an engine. Undefined for a job of this machine, and before the first start. */
  get placement(): PlacementStatus | undefined {
    return undefined;
  }

  /** The time between SIGTERM and SIGKILL at a stop, in milliseconds. */
  get graceMs(): number {
    return this.spec.graceMs ?? DEFAULT_GRACE_MS;
  }

  /** Returns a status of the process as a status of the job. */
  protected statusOf(status: ProcessStatus): JobStatus {
    return jobStatus(this.spec, status, this.output, this.placement);
  }

  /** Returns the error for an action that needs a running job. */
  protected notRunning(action: string, state: string = this.history.latest.state): JobNotRunningError {
    return new JobNotRunningError(`Job ${JSON.stringify(this.id)}`, state, action);
  }

  /**
   * Watches the status: the status now, then every change, up to the final one.
   *
   * @param options.skipInitial leaves out the state `INITIAL`, for a caller that is about to start the job. Returns `STARTING`
   * once more when an engine has the job, if it had not answered before
   */
  watchStatus(signal?: AbortSignal, options: { readonly skipInitial?: boolean } = {}): Watch<JobStatus> {
    const { length } = this.history;
    const from = options.skipInitial && this.isInitialState ? length : length - 1;
    return watch(signal, (combined) => this.#readStatus(from, combined, options.skipInitial));
  }

  async *#readStatus(from: number, signal: AbortSignal, starts = false): AsyncGenerator<JobStatus, void, void> {
    const refreshed = this.refresh();
    if (refreshed !== undefined) await refreshed;
    let last: JobStatus | undefined;
    const isPlaced = () =>
      starts && last?.state === "STARTING" && last.placement !== undefined && last.placement.handle === undefined &&
      this.placement?.handle !== undefined;
    for await (const status of this.history.read(from, signal, isPlaced)) yield last = this.statusOf(status);
  }

  /** Gets the present counts of a job that another process runs. Undefined when they are known here. */
  protected refresh(): Promise<void> | undefined {
    return undefined;
  }

  /** Watches the output. The iteration returns the summary of the whole output. */
  watchOutput(selection: OutputSelection = {}, signal?: AbortSignal): Watch<OutputChunk, OutputEnd> {
    // A watch that does not follow the output reports the totals and the status of now.
    const isBounded = selection.follow === false;
    let now = this.log.isCurrent ? this.#outputNow(isBounded) : undefined;
    return watch(
      signal,
      (combined) =>
        readOutput(this.log, selection, () => (now ??= this.#outputNow(isBounded)).end, combined, (cursor, isCut) => {
          // A watch up to a given time does not wait for the job's end.
          const here = now?.totals ?? (isCut ? this.log.totals() : undefined);
          return this.#outputEnd(cursor, here && { ...here, status: now?.status ?? this.status }, combined);
        }),
    );
  }

  /** Returns the end of the existing output, and for a bounded watch also the totals up to it and the status. */
  #outputNow(isBounded: boolean): { end: LogPosition; totals?: OutputTotals; status?: JobStatus } {
    return isBounded ? { ...this.log.summary(), status: this.status } : { end: this.log.end };
  }

  async #outputEnd(
    cursor: string,
    now: Omit<OutputEnd, "cursor"> | undefined,
    signal: AbortSignal,
  ): Promise<OutputEnd> {
    if (now !== undefined) return { ...now, cursor };
    // The log is sealed a moment before the final status is set.
    await this.history.waitForFinal(signal);
    return { ...this.log.totals(), cursor, status: this.status };
  }

  /** Ends the watches of a job that will not be started any more with an error. */
  abandon(error: Error): void {
    this.history.abandon(error);
    this.log.abandon(error);
  }

  /** Deletes the output. Watches of it end with a `JobNotFoundError`. */
  async remove(): Promise<void> {
    this.abandon(new JobNotFoundError(this.id));
    await this.log.remove();
  }
}
