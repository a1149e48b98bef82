/** A job with a process: starts, stops and signals it, and records each change before watchers see it. */
import { defined } from "../../base/defined.ts";
import { SignalDeniedError } from "../errors.ts";
import { NoInputError, NoTerminalError } from "../input_errors.ts";
import { parseSignal } from "../linux/signals.ts";
import type { OutputLog } from "../output/log.ts";
import type { StopOptions } from "../process/options.ts";
import type { Process } from "../process/process.ts";
import { isFinalState, type ProcessStatus, type RequestedBy, type SentSignal } from "../process/state.ts";
import type { InputChunk, InputOptions, InputResult, InputState } from "../process/stdin.ts";
import { checkTerminalSize, type TerminalSize } from "../terminal/size.ts";
import { AnyJob } from "./any_job.ts";
import { hasInput, type JobSpec, type JobStatus } from "./spec.ts";

/** Stores the changes of a job before watchers see them. */
export interface JobRecorder {
  /**
   * Stores a status.
   *
   * @param by the user who requested a start
   * @throws {NotRecordedError} when a start cannot be stored; the job is not started then
   */
  record(process: Process, status: ProcessStatus, log: OutputLog, by?: string): void;
}

/** The number of signals that a status lists. A client that sends more is a program, and its last signals say enough. */
const MAX_SIGNALS = 16;

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
 * for await (const chunk of job.watchOutput()) await Deno.stdout.write(chunk.data);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class Job extends AnyJob {
  readonly #process: Process;
  readonly #log: OutputLog;
  readonly #recorder: JobRecorder | undefined;
  #final: Promise<JobStatus> | undefined;
  #requestedBy: RequestedBy = {};
  #pausedBy: string | undefined;

  /**
   * @param process the process, not yet started; its output goes to the log
   * @param log the log of the process's output
   * @param recorder stores the changes; absent: nothing is stored
   */
  constructor(process: Process, spec: JobSpec, log: OutputLog, recorder?: JobRecorder) {
    super(spec, log, process.status);
    this.#process = process;
    this.#log = log;
    this.#recorder = recorder;
  }

  /** The status now. */
  override get status(): JobStatus {
    const status = super.status;
    if (!this.#process.isPaused || !this.isRunningState) return status;
    return { ...status, paused: true, ...defined({ pausedBy: this.#pausedBy }) };
  }

  /**
   * Starts the job and resolves with its final status. A second start joins the first.
   *
   * @param by the user who requests the start
   * @throws {NotRecordedError} when the start cannot be stored; the job is not started then
   * @throws {HostExhaustedError} when the host lacks resources for it now; the job stays in `INITIAL` and can be started
   * later
   */
  override start(by?: string): Promise<JobStatus> {
    return this.#final ?? this.#start(by);
  }

  #start(by?: string): Promise<JobStatus> {
    const before = this.#requestedBy;
    // The start is stored before the process exists, so no process runs that the store does not know.
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
    // A watcher that sees the final status can read all of the output.
    await this.#log.seal();
    this.#record(final);
    return this.statusOf(final);
  }

  /**
   * Stops the job and resolves with its final status. If it is not running, the call only returns its status.
   *
   * @throws {InvalidArgumentError} when the grace period is out of range
   * @throws {SignalDeniedError} when the job runs as another user and may not be killed
   */
  override async stop(options: StopOptions = {}): Promise<JobStatus> {
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
   * @param signal a name with or without SIG, or a number from 1 to 64
   * @param by the user who sends it
   * @throws {InvalidSignalError} when Linux has no such signal
   * @throws {JobNotRunningError} when the job is not running
   * @throws {SignalDeniedError} when a process of the group runs as another user and may not be signalled
   */
  override async signal(signal: string, by?: string): Promise<JobStatus> {
    const { name } = parseSignal(signal);
    this.#mustRun("be sent a signal");
    const before = this.#requestedBy.signals ?? [];
    if (by !== undefined) this.#noteSignals([...before, { by, signal: name, at: new Date() }]);
    try {
      await this.#process.signal(signal, by);
    } catch (error) {
      // A signal that no process got is not listed.
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
   * Pauses all processes of the job. Resolves when they are paused. A paused job stays paused.
   *
   * @param by the user who requests the pause
   * @throws {JobNotRunningError} when the job is not running or is being stopped
   * @throws {SignalDeniedError} when a process runs as another user and may not be signalled; then all continue
   */
  override async pause(by?: string): Promise<JobStatus> {
    this.#mustRun("be paused");
    if (!this.#process.isPaused) this.#pausedBy = by;
    await this.#process.pause(); // If this throws, the job is not paused, and the status shows no user.
    return this.status;
  }

  /**
   * Resumes all processes of the job. For a job that is not paused, this has no effect.
   *
   * @throws {JobNotRunningError} when the job is not running
   * @throws {SignalDeniedError} when a paused process runs as another user and may not be signalled
   */
  override async resume(): Promise<JobStatus> {
    this.#mustRun("be resumed");
    await this.#process.resume();
    return this.status;
  }

  /**
   * Changes the size of the job's terminal. Its foreground process group gets SIGWINCH, if the size is another one.
   *
   * @throws {InvalidArgumentError} when a side is out of range
   * @throws {NoTerminalError} when the job has no terminal
   * @throws {JobNotRunningError} when the job is not running
   */
  override resize(size: TerminalSize): Promise<JobStatus> {
    return Promise.try(() => {
      checkTerminalSize(size);
      if (this.spec.terminal === undefined) throw new NoTerminalError(this.id);
      this.#mustRun("be resized");
      this.#process.resize(size);
      return this.status;
    });
  }

  /** Returns the status with what the job has used and uses now, while it runs. */
  override async measuredStatus(): Promise<JobStatus> {
    const usage = await this.#process.usage();
    return usage === undefined || !this.isRunningState ? this.status : { ...this.status, usage };
  }

  #mustRun(action: string): void {
    if (!this.#process.isRunningState) throw this.notRunning(action);
  }

  /**
   * Writes to the job's input until the chunks end, one of them ends the input, or the job accepts no more.
   *
   * @throws {NoInputError} when the job has no input
   * @throws {JobNotRunningError} when the job is not running
   * @throws as `ProcessInput.accept` does
   */
  override async writeInput(chunks: AsyncIterable<InputChunk>, options: InputOptions = {}): Promise<InputResult> {
    if (!hasInput(this.spec)) throw new NoInputError(this.id);
    const { input, isRunningState, status } = this.#process;
    if (!isRunningState || input === undefined) throw this.notRunning("be given input", status.state);
    return await input.accept(chunks, options);
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
    // The state STARTING was stored before the process existed.
    if (status.state !== "STARTING") this.#recorder?.record(this.#process, status, this.#log);
    this.history.add(status);
  }

  protected override statusOf(status: ProcessStatus): JobStatus {
    return super.statusOf({ ...status, ...this.#requestedByField, ...this.#inputField });
  }
}
