/** A process with a history: its state machine, its output, its watchers. */
import { DEFAULT_GRACE_MS } from "../launch/command.ts";
import { JobNotFoundError, JobNotRunningError, SignalDeniedError } from "../errors.ts";
import { NoInputError } from "../input_errors.ts";
import type { InputOptions, InputPiece, InputState, InputTaken } from "../process/stdin.ts";
import { type JobSpec, type JobStatus, jobStatus, type OutputCounts } from "./spec.ts";
import type { OutputLog } from "../output/log.ts";
import type { OutputTotals } from "../output/totals.ts";
import type { OutputChunk } from "../output/chunk.ts";
import { type OutputSelection, readOutput } from "../output/follow.ts";
import type { StopOptions } from "../process/options.ts";
import type { Process } from "../process/process.ts";
import { parseSignal } from "../linux/signals.ts";
import {
  isFinalState,
  isInitialState,
  isRunningState,
  type ProcessStatus,
  type RequestedBy,
  type SentSignal,
} from "../process/state.ts";
import { type Watch, watch, woken } from "../watch.ts";
import { defined } from "../../base/defined.ts";

/** Where a job's changes are written down before they are told. */
export interface JobRecorder {
  /**
   * Writes a status down.
   *
   * @param by the user who asked for a start
   * @throws {NotRecordedError} when a start cannot be written down: then there must be none
   */
  record(process: Process, status: ProcessStatus, log: OutputLog, by?: string): void;
}

/** Whoever sends more is a program, and the first of its signals say nothing that the last do not. */
const MAX_SIGNALS = 16;

/** What the output of a job amounts to, with the job's status: the last word of `watchOutput`. */
export interface OutputEnd extends OutputTotals {
  /** Continues behind everything the watch looked through. */
  readonly cursor: string;
  readonly status: JobStatus;
}

/**
 * A process with a history.
 *
 * @example
 * ```ts
 * import { Job } from "./job.ts";
 * import { OutputLog } from "../output/log.ts";
 * import { Process } from "../process/process.ts";
 *
 * const spec = { id: "one", command: "echo", args: ["hello"], registeredAt: new Date() };
 * const directory = await Deno.makeTempDir();
 * const log = new OutputLog("one", { directory });
 * const process = new Process(spec.command, spec.args, { id: spec.id, output: log });
 * const job = new Job(process, spec, log);
 * await job.start();
 * for await (const piece of job.watchOutput()) await Deno.stdout.write(piece.data);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class Job {
  readonly #process: Process;
  readonly #spec: JobSpec;
  readonly #log: OutputLog;
  readonly #recorder: JobRecorder | undefined;
  /** Every status the process had. The state machine bounds it: no state comes twice. */
  readonly #history: ProcessStatus[];
  readonly #waiters = new Set<() => void>();
  #final: Promise<JobStatus> | undefined;
  /** Why nothing more will come although the job has not ended. */
  #abandoned: Error | undefined;
  #watchers = 0;
  #requestedBy: RequestedBy = {};
  #pausedBy: string | undefined;

  /**
   * @param process not yet started; its output goes to the log
   * @param log where the process writes to
   * @param recorder where changes are written down; absent: nowhere
   */
  constructor(process: Process, spec: JobSpec, log: OutputLog, recorder?: JobRecorder) {
    this.#process = process;
    this.#spec = spec;
    this.#log = log;
    this.#recorder = recorder;
    this.#history = [process.status];
  }

  /** Takes up a job that ended in an earlier life of the server. Its process is one that was never started here. */
  static restore(process: Process, spec: JobSpec, log: OutputLog, status: ProcessStatus): Job {
    const job = new Job(process, spec, log);
    job.#history[0] = status;
    job.#final = Promise.resolve(job.#statusOf(status));
    return job;
  }

  get id(): string {
    return this.#spec.id;
  }

  /** What it is. */
  get spec(): JobSpec {
    return this.#spec;
  }

  /** True before the first start. */
  get isInitialState(): boolean {
    return isInitialState(this.#latest.state);
  }

  /** True from the start until the end and the last byte of output is recorded. */
  get isRunningState(): boolean {
    return isRunningState(this.#latest.state);
  }

  /** True once nothing will change any more. */
  get isFinalState(): boolean {
    return isFinalState(this.#latest.state);
  }

  /** How many watch the job's status or output. */
  get watchers(): number {
    return this.#watchers + this.#log.reader.count;
  }

  /** What is known of the job now. */
  get status(): JobStatus {
    const status = this.#statusOf(this.#latest);
    if (!this.#process.isPaused || !this.isRunningState) return status;
    return { ...status, paused: true, ...defined({ pausedBy: this.#pausedBy }) };
  }

  /** How much output there is now. */
  get output(): OutputCounts {
    const { stdout, stderr } = this.#log.end.offsets;
    return { stdoutBytes: stdout, stderrBytes: stderr, droppedBytes: this.#log.droppedBytes };
  }

  /** Between SIGTERM and SIGKILL when it is stopped, in milliseconds. */
  get graceMs(): number {
    return this.#spec.graceMs ?? DEFAULT_GRACE_MS;
  }

  get #latest(): ProcessStatus {
    return this.#history.at(-1) as ProcessStatus; // Never empty: it begins with the first status.
  }

  /**
   * Starts the job and resolves with its final status. Not the first start: joins the first.
   *
   * @param by the user who asked, for the record
   * @throws {NotRecordedError} when the start cannot be written down; the job was not started then
   * @throws {HostExhaustedError} when the host has no room for it now; it stays in `INITIAL` and can be started later
   */
  start(by?: string): Promise<JobStatus> {
    return this.#final ?? this.#start(by);
  }

  #start(by?: string): Promise<JobStatus> {
    const before = this.#requestedBy;
    // The intent is on record before there is a process: none runs that the record does not know of.
    if (by !== undefined) this.#requestedBy = { ...before, startedBy: by };
    const starting = { state: "STARTING", startedAt: new Date(), ...this.#requestedByField } as const;
    this.#recorder?.record(this.#process, starting, this.#log, by);
    const unsubscribe = this.#process.subscribe((status) => {
      if (!isFinalState(status.state)) this.#record(status);
    });
    const run = this.#run(this.#process.start(), unsubscribe);
    if (!this.#process.isInitialState) return this.#final = run;
    this.#requestedBy = before;
    this.#recorder?.record(this.#process, { state: "INITIAL", ...this.#requestedByField }, this.#log);
    return run;
  }

  async #run(ended: Promise<ProcessStatus>, unsubscribe: () => void): Promise<JobStatus> {
    const final = await ended.finally(unsubscribe);
    // The end is told when the last byte is on record, so whoever sees it can read all of the output.
    await this.#log.seal();
    this.#record(final);
    return this.#statusOf(final);
  }

  /**
   * Stops the job and resolves with its final status; where it is not running, with the status it has.
   *
   * @throws {InvalidArgumentError} when the grace period is out of range
   */
  async stop(options: StopOptions = {}): Promise<JobStatus> {
    if (this.#process.isRunningState) {
      if (options.by !== undefined) this.#requestedBy = { stopAskedBy: options.by, ...this.#requestedBy };
      await this.#process.stop(options);
    }
    if (this.#final !== undefined) return await this.#final;
    return this.status;
  }

  /**
   * Sends a signal to the job's process group.
   *
   * @throws {InvalidSignalError} when Linux has no such signal
   * @throws {JobNotRunningError} when the job is not running
   * @throws {SignalDeniedError} when not all of the group may be signalled, because it runs as another user
   */
  async signal(signal: string, by?: string): Promise<JobStatus> {
    const { name } = parseSignal(signal);
    this.#mustRun("be sent a signal");
    const before = this.#requestedBy.signals ?? [];
    if (by !== undefined) this.#noteSignals([...before, { by, signal: name, at: new Date() }]);
    try {
      await this.#process.signal(signal, by);
    } catch (error) {
      // What nobody got was not sent.
      if (error instanceof SignalDeniedError && !error.isPartial) this.#noteSignals(before);
      throw error;
    }
    return this.status;
  }

  #noteSignals(signals: readonly SentSignal[]): void {
    const { signals: _, ...others } = this.#requestedBy;
    this.#requestedBy = signals.length === 0 ? others : { ...others, signals: signals.slice(-MAX_SIGNALS) };
  }

  /**
   * Lets all processes of the job stand still. Resolves when they do. One that is paused already stays so.
   *
   * @throws {JobNotRunningError} when the job is not running, or is being stopped
   */
  async pause(by?: string): Promise<JobStatus> {
    this.#mustRun("be paused");
    if (!this.#process.isPaused) this.#pausedBy = by;
    await this.#process.pause(); // Where that throws it is not paused, and by whom is not asked.
    return this.status;
  }

  /**
   * Lets all processes of the job go on. One that is not paused goes on as it did.
   *
   * @throws {JobNotRunningError} when the job is not running
   */
  async resume(): Promise<JobStatus> {
    this.#mustRun("be resumed");
    await this.#process.resume();
    return this.status;
  }

  /** The status with what the job uses and has used, read now, where it is running. */
  async measuredStatus(): Promise<JobStatus> {
    const usage = await this.#process.usage();
    return usage === undefined || !this.isRunningState ? this.status : { ...this.status, usage };
  }

  #mustRun(what: string): void {
    if (this.#process.isRunningState) return;
    throw new JobNotRunningError(`Job ${JSON.stringify(this.id)}`, this.#latest.state, what);
  }

  /**
   * Writes to the job's input until the pieces end, one of them ends the input, or the job takes no more.
   *
   * @throws {NoInputError} when the job was made without one
   * @throws {JobNotRunningError} when the job is not running
   * @throws what `ProcessInput.take` throws
   */
  async writeInput(pieces: AsyncIterable<InputPiece>, options: InputOptions = {}): Promise<InputTaken> {
    if (!this.#spec.input) throw new NoInputError(this.id);
    const { input, isRunningState, status } = this.#process;
    if (!isRunningState || input === undefined) {
      // The process of a job that ended in an earlier life is a stand-in.
      const { state } = this.isFinalState ? this.#latest : status;
      throw new JobNotRunningError(`Job ${JSON.stringify(this.id)}`, state, "be given input");
    }
    return await input.take(pieces, options);
  }

  /**
   * Watches the status: the one it has now, then every change, to the final one.
   *
   * @param options.skipInitial leaves `INITIAL` out, for one who is about to start the job
   */
  watchStatus(signal?: AbortSignal, options: { readonly skipInitial?: boolean } = {}): Watch<JobStatus> {
    const from = options.skipInitial && this.isInitialState ? this.#history.length : this.#history.length - 1;
    return watch(signal, (combined) => this.#readStatus(from, combined));
  }

  async *#readStatus(from: number, signal: AbortSignal): AsyncGenerator<JobStatus, void, void> {
    this.#watchers += 1;
    try {
      for (let index = from;; index++) {
        while (index >= this.#history.length) {
          if (this.isFinalState) return;
          await this.#changed(signal);
        }
        yield this.#statusOf(this.#history[index] as ProcessStatus);
        signal.throwIfAborted();
      }
    } finally {
      this.#watchers -= 1;
    }
  }

  async #changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#abandoned !== undefined) throw this.#abandoned;
    await woken(this.#waiters, signal);
    signal.throwIfAborted();
    if (this.#abandoned !== undefined) throw this.#abandoned;
  }

  /** Watches the output; the iteration returns what the whole output amounts to. */
  watchOutput(selection: OutputSelection = {}, signal?: AbortSignal): Watch<OutputChunk, OutputEnd> {
    const { end } = this.#log;
    // What is there now is all that a watch which does not follow speaks of, at its end too.
    const now = selection.follow === false ? { ...this.#log.totals(), status: this.status } : undefined;
    return watch(
      signal,
      (combined) =>
        readOutput(this.#log, selection, end, combined, (cursor, isCut) => {
          // Not the job's end was waited for, but a time.
          const here = now ?? (isCut ? { ...this.#log.totals(), status: this.status } : undefined);
          return this.#outputEnd(cursor, here, combined);
        }),
    );
  }

  async #outputEnd(
    cursor: string,
    now: Omit<OutputEnd, "cursor"> | undefined,
    signal: AbortSignal,
  ): Promise<OutputEnd> {
    if (now !== undefined) return { ...now, cursor };
    // The log is sealed a moment before the final status is set.
    while (!this.isFinalState) await this.#changed(signal);
    return { ...this.#log.totals(), cursor, status: this.status };
  }

  /** Ends those who wait for more of a job that will not be started any more: they get this error. */
  abandon(error: Error): void {
    this.#abandoned = error;
    this.#wake();
    this.#log.abandon(error);
  }

  /** Forgets the output. Watchers of an ended job may finish. */
  async remove(): Promise<void> {
    this.abandon(new JobNotFoundError(this.id));
    await this.#log.remove();
  }

  get #requestedByField(): { readonly requestedBy?: RequestedBy } {
    return Object.keys(this.#requestedBy).length === 0 ? {} : { requestedBy: this.#requestedBy };
  }

  get #inputField(): { readonly input?: InputState } {
    return this.#process.input === undefined ? {} : { input: this.#process.input.state };
  }

  #record(phase: ProcessStatus): void {
    const input = isFinalState(phase.state) ? this.#inputField : {};
    const status = { ...phase, ...this.#requestedByField, ...input };
    if (status.state !== "STARTING") this.#recorder?.record(this.#process, status, this.#log);
    this.#history.push(status);
    this.#wake();
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }

  #statusOf(status: ProcessStatus): JobStatus {
    return jobStatus(this.#spec, { ...status, ...this.#requestedByField, ...this.#inputField }, this.output);
  }
}
