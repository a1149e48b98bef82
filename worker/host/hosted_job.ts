/** A job whose process belongs to a job host: it controls the process over a link, and follows its changes. */
import { defined } from "../../base/defined.ts";
import { NoInputError, NoTerminalError } from "../input_errors.ts";
import { AnyJob } from "../job/any_job.ts";
import { hasInput, type JobSpec, type JobStatus, type PlacementStatus } from "../job/spec.ts";
import type { StoredProcess } from "../job/status_details.ts";
import { parseSignal } from "../linux/signals.ts";
import { LOG_START } from "../output/cursor.ts";
import { MirrorLog, type MirrorState, NO_TOTALS } from "../output/mirror_log.ts";
import type { StopOptions } from "../process/options.ts";
import { isFinalState, isLaterState, isRunningState, type ProcessStatus } from "../process/state.ts";
import type { InputChunk, InputOptions, InputResult } from "../process/stdin.ts";
import { checkTerminalSize, type TerminalSize } from "../terminal/size.ts";
import { OutputUnavailableError } from "../storage_errors.ts";
import type { HostConnection } from "./host_connection.ts";
import type { HostedJobParts } from "./hosted_job_parts.ts";
import { HostedStart } from "./hosted_start.ts";
import type { HostedJobState, HostLink, JobChange, LiveState, LogState } from "./link.ts";

/** A job of a job host. */
export class HostedJob extends AnyJob {
  /** Its start on a host. */
  readonly hostStart: HostedStart;
  readonly #log: MirrorLog;
  readonly #parts: HostedJobParts;
  #live: LiveState | undefined;
  /** Aborts when the supervisor leaves the job to its host. */
  readonly #left = new AbortController();

  constructor(spec: JobSpec, status: ProcessStatus, parts: HostedJobParts) {
    const log = new MirrorLog(
      spec.id,
      { directory: parts.directory, isSegmented: spec.outputLimit?.policy === "KEEP_NEWEST" },
      { watch: () => this.#watchLog(), unwatch: () => this.host?.open?.unwatch(spec.id), outage: () => this.outage },
    );
    super(spec, log, status);
    this.#log = log;
    this.#parts = parts;
    this.hostStart = new HostedStart(parts, this.history, (action) => this.#linkTo(action), () => this.#rewatch());
  }

  /** The host of the job. Undefined before the start. */
  get host(): HostConnection | undefined {
    return this.hostStart.host;
  }

  override get outage(): Error | undefined {
    return this.isRunningState ? this.host?.outage : undefined;
  }

  /** The status of its process, without the facts of the job. */
  get processStatus(): ProcessStatus {
    return this.history.latest;
  }

  /** The bytes of its output on the disk, as far as they are known. */
  get diskBytes(): number {
    return this.#log.end.position;
  }

  /** The facts that identify its processes. */
  get process(): StoredProcess | undefined {
    return this.hostStart.process;
  }

  override get placement(): PlacementStatus | undefined {
    return this.host?.placementStatus;
  }

  /**
   * Stores the place of its host in an engine.
   *
   * @throws the error of the database
   */
  recordPlacement(): void {
    const { process } = this;
    const placement = this.host?.placement;
    if (process === undefined || placement === undefined) return;
    this.#parts.recordProcess({ ...process, placement });
    this.hostStart.process = { ...process, placement };
    this.history.touch();
  }

  /** The status now, as far as it is known. `refresh` of the supervisor asks the host first. */
  override get status(): JobStatus {
    const paused = this.isRunningState ? this.#live?.paused : undefined;
    return paused === undefined ? super.status : { ...super.status, paused: true, ...defined({ pausedBy: paused.by }) };
  }

  protected override statusOf(status: ProcessStatus): JobStatus {
    const { requestedBy, input } = isRunningState(status.state) && this.#live || {};
    return super.statusOf({ ...status, ...defined({ requestedBy, input }) });
  }

  /**
   * Starts the job on the host for new jobs.
   *
   * @throws {HostExhaustedError} or {NotEnforceableError} when the host refuses; the job goes back to `INITIAL`
   * @throws {HostUnavailableError} when the host cannot be reached, and no next host has the job
   */
  override async begin(by?: string): Promise<void> {
    await this.hostStart.begin(by);
  }

  /** Takes all that the host knows of the job, after a new link to it. */
  takeState({ changes, live }: HostedJobState): void {
    this.hostStart.noteKnown();
    for (const change of changes) this.apply(change);
    if (live !== undefined) this.takeLive(live);
    this.#rewatch();
  }

  /** Readers that began before the start, or before a new link, have no reports yet. */
  #rewatch(): void {
    void this.#log.rewatch().catch(this.#parts.onError);
  }

  /**
   * Takes a change that the host reports, or the end that another host has found out after the host has died. A change
   * that is known already has no effect.
   */
  apply({ status, details }: Pick<JobChange, "status" | "details">): void {
    this.hostStart.noteKnown();
    if (!isLaterState(status.state, this.history.latest.state)) return;
    const process = { bootId: this.#parts.bootId, ...this.process, ...details.process };
    this.hostStart.process = process;
    if (isFinalState(status.state)) {
      this.#live = undefined;
      // A watcher that sees the final status can read all of the output.
      if (details.output !== undefined) this.#log.seal(details.output);
      else this.#log.abandon(new OutputUnavailableError(this.id));
    }
    this.#parts.record(status, { ...details, process });
    this.history.add(status);
  }

  /** Takes the facts that change without a change of the state. */
  takeLive(live: LiveState): void {
    if (!this.isRunningState) return;
    this.#live = live;
    this.#log.update(live.log);
  }

  /** Takes the growth of the log. */
  takeGrowth(range: Pick<LogState, "start" | "end">): void {
    this.#log.advance(range);
  }

  async #watchLog(): Promise<MirrorState | undefined> {
    await this.hostStart.known();
    if (this.host === undefined) return { start: LOG_START, end: LOG_START, totals: NO_TOTALS };
    return await this.host.link.watch(this.id);
  }

  /** Starts the job and resolves with its final status. */
  override async start(by?: string): Promise<JobStatus> {
    await this.begin(by);
    return await this.#finalStatus();
  }

  /** Stops the job and resolves with its final status. If it is not running, the call only returns its status. */
  override async stop(options: StopOptions = {}): Promise<JobStatus> {
    await this.hostStart.known();
    if (!this.isRunningState) return this.status;
    // A stop of a job that the host does not know yet would have no effect.
    if (this.hostStart.isUnknown && this.host?.keepsStop !== true) await this.hostStart.request();
    await this.#linkTo("be stopped").stop(this.id, options);
    return await this.#finalStatus();
  }

  async #finalStatus(): Promise<JobStatus> {
    await this.history.waitForFinal(new AbortController().signal);
    return this.status;
  }

  /** Sends a signal to the job's process group. */
  override async signal(signal: string, by?: string): Promise<JobStatus> {
    parseSignal(signal);
    await this.#linkTo("be sent a signal").signal(this.id, signal, by);
    return await this.freshStatus();
  }

  /** Pauses all processes of the job. Resolves when they are paused. */
  override async pause(by?: string): Promise<JobStatus> {
    await this.#linkTo("be paused").pause(this.id, by);
    return await this.freshStatus();
  }

  /** Resumes all processes of the job. */
  override async resume(): Promise<JobStatus> {
    await this.#linkTo("be resumed").resume(this.id);
    return await this.freshStatus();
  }

  /** Changes the size of the job's terminal. */
  override async resize(size: TerminalSize): Promise<JobStatus> {
    checkTerminalSize(size);
    if (this.spec.terminal === undefined) throw new NoTerminalError(this.id);
    await this.#linkTo("be resized").resize(this.id, size);
    return this.status;
  }

  /** Returns the status with what the job uses now, while it runs. */
  override async measuredStatus(): Promise<JobStatus> {
    const [usage, status] = await Promise.all([this.host?.usageOf(this.id), this.freshStatus()]);
    return usage === undefined || !this.isRunningState ? status : { ...status, usage };
  }

  /** Returns the status with facts that the host reports now. While it cannot be reached, with the last known facts. */
  async freshStatus(): Promise<JobStatus> {
    await this.refresh();
    return this.status;
  }

  protected override refresh(): Promise<void> | undefined {
    const host = this.isRunningState ? this.host : undefined;
    return host?.statesOf([this.id]).then(({ [this.id]: live }) => {
      if (live !== undefined) this.takeLive(live);
    });
  }

  /** Writes to the job's input. */
  override async writeInput(chunks: AsyncIterable<InputChunk>, options: InputOptions = {}): Promise<InputResult> {
    if (!hasInput(this.spec)) throw new NoInputError(this.id);
    const left = this.#left.signal;
    const signal = options.signal === undefined ? left : AbortSignal.any([options.signal, left]);
    return await this.#linkTo("be given input").writeInput(this.id, chunks, { ...options, signal });
  }

  /** Ends all watchers and writers. The job continues in its host. */
  override abandon(error: Error): void {
    super.abandon(error);
    this.#left.abort(error);
  }

  /**
   * Returns the link to the host of the running job.
   *
   * @throws {JobNotRunningError} when the job is not running
   * @throws {HostUnavailableError} when the host cannot be reached
   */
  #linkTo(action: string): HostLink {
    if (this.host === undefined || !this.isRunningState) throw this.notRunning(action);
    return this.host.link;
  }
}
