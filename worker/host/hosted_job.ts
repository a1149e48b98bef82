/**
 * A job whose process belongs to a job host: it starts and controls the process over a link, and follows its changes.
 *
 * Long: this is one class, and each call of a job is a method of it.
 */
import { defined } from "../../base/defined.ts";
import { HostUnavailableError, SupervisorClosedError, TeleportError } from "../errors.ts";
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
import type { HostedJobState, HostLink, JobChange, LiveState, LogState } from "./link.ts";

/** A job of a job host. */
export class HostedJob extends AnyJob {
  readonly #log: MirrorLog;
  readonly #parts: HostedJobParts;
  #host: HostConnection | undefined;
  #process: StoredProcess | undefined;
  #live: LiveState | undefined;
  /** Resolves when the host knows of the start, or has refused it. */
  #begun: Promise<void> | undefined;
  /** The request of a start that has no answer yet, and the link that it went over. */
  #request: { readonly link: HostLink | undefined; readonly answer: Promise<void> } | undefined;
  /** False while a start was sent and nobody knows whether it has arrived. */
  #isStartKnown = true;

  /** Aborts when the supervisor leaves the job to its host. */
  readonly #left = new AbortController();

  constructor(spec: JobSpec, status: ProcessStatus, parts: HostedJobParts) {
    const log = new MirrorLog(
      spec.id,
      { directory: parts.directory, isSegmented: spec.outputLimit?.policy === "KEEP_NEWEST" },
      { watch: () => this.#watchLog(), unwatch: () => this.#host?.open?.unwatch(spec.id) },
    );
    super(spec, log, status);
    this.#log = log;
    this.#parts = parts;
  }

  /** The host of the job. Undefined before the start. */
  get host(): HostConnection | undefined {
    return this.#host;
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
    return this.#process;
  }

  override get placement(): PlacementStatus | undefined {
    return this.#host?.placementStatus;
  }

  /**
   * Stores the place of its host in an engine.
   *
   * @throws the error of the database
   */
  recordPlacement(): void {
    const { process } = this;
    const placement = this.#host?.placement;
    if (process === undefined || placement === undefined) return;
    this.#parts.recordProcess({ ...process, placement });
    this.#process = { ...process, placement };
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
   * Starts the job on the host for new jobs. The intent is stored before the host gets the start.
   *
   * When the host cannot be reached, nobody knows whether it got the start. The job stays in `STARTING`, because it may
   * run. The start is repeated when the host can be reached again, which is safe: a host starts an id once.
   *
   * @throws {HostExhaustedError} or {NotEnforceableError} when the host refuses; the job goes back to `INITIAL`
   * @throws {HostUnavailableError} when the host cannot be reached, and no next host has the job
   */
  override async begin(by?: string): Promise<void> {
    if (!this.isInitialState) return await this.#begun;
    const requestedBy = by === undefined ? undefined : { startedBy: by };
    const status = { state: "STARTING", startedAt: new Date(), ...defined({ requestedBy }) } as const;
    this.#storeStart(status, by);
    this.history.add(status);
    await this.#firstRequest().catch((error) => this.#afterLoss(error));
  }

  /**
   * Waits for what becomes of a start whose host was lost before its answer. The start may have arrived, or is made again.
   *
   * @throws the error, unless the start is known to have arrived
   */
  async #afterLoss(error: unknown): Promise<void> {
    if (!(error instanceof HostUnavailableError)) throw error;
    await this.#host?.replaced();
    await this.#request?.answer;
    if (this.isInitialState || this.isStartUnknown) throw error;
  }

  /** Stores the intent to start on the host for new jobs. */
  #storeStart(status: ProcessStatus, by: string | undefined): void {
    const { bootId, newHost, record } = this.#parts;
    const host = newHost();
    const { instance, placement } = host;
    const process = { bootId, host: instance, ...defined({ placement }) };
    record(status, { process, ...defined({ by }) });
    this.#host = host;
    this.#process = process;
  }

  async #firstRequest(): Promise<void> {
    await this.requestStart();
    // Readers that began before the start have no reports yet.
    void this.#log.rewatch().catch(this.#parts.onError);
  }

  /**
   * Requests a start whose intent is stored, now or again. Calls at the same time make one request over one link: a host
   * may refuse one request and accept another. An engine may not have answered yet when the host comes that it has placed.
   */
  requestStart(): Promise<void> {
    const link = this.#host?.link;
    if (this.#request !== undefined && this.#request.link === link) return this.#request.answer;
    const request = {
      link,
      answer: this.#requestStart().finally(() => {
        if (this.#request === request) this.#request = undefined;
      }),
    };
    this.#request = request;
    this.#begun = request.answer.catch(() => {}); // Watchers wait for it. The caller gets the error.
    return request.answer;
  }

  async #requestStart(): Promise<void> {
    const by = this.processStatus.requestedBy?.startedBy;
    this.#isStartKnown = false;
    try {
      await this.#linkTo("be started").start({
        spec: this.#parts.hostSpec(),
        ...this.#parts.startOptions(),
        ...defined({ by }),
      });
      this.#isStartKnown = true;
    } catch (error) {
      // The job has begun meanwhile, over another link.
      if (isLaterState(this.history.latest.state, "STARTING")) return;
      // After any other error the job may run. A refusal by a machine of an engine is the end of the job.
      const isRefused = error instanceof TeleportError && !(error instanceof HostUnavailableError);
      if (isRefused && this.#host?.placement?.run === undefined) this.#unstart();
      // The next start finds another host.
      if (error instanceof SupervisorClosedError) throw new HostUnavailableError("it ends and starts no jobs");
      throw error;
    }
  }

  /**
   * Starts the job on the next host, because its host had ended in order before the start arrived. The job stays in
   * `STARTING`: a supervisor that dies here leaves it to the next one. When the start cannot be stored, or no host can be
   * reached, the job goes back to `INITIAL`.
   */
  async startAgain(): Promise<void> {
    const { processStatus: status } = this;
    try {
      this.#storeStart(status, status.requestedBy?.startedBy);
    } catch (error) {
      this.#unstart();
      throw error;
    }
    await this.#firstRequest();
  }

  /** Goes back to `INITIAL`. */
  #unstart(): void {
    if (this.history.latest.state !== "STARTING") return;
    this.#isStartKnown = true;
    this.#parts.record({ state: "INITIAL" }, defined({ process: this.#process }));
    this.history.add({ state: "INITIAL" });
    this.#host = undefined;
  }

  /** True when a start was sent and nobody knows whether it has arrived. */
  get isStartUnknown(): boolean {
    return !this.#isStartKnown && this.history.latest.state === "STARTING";
  }

  /** Continues with a job that an earlier supervisor has started on a host. */
  adopt(host: HostConnection, process: StoredProcess | undefined): void {
    this.#host = host;
    this.#process = process;
    this.#isStartKnown = false;
  }

  /** Takes all that the host knows of the job, after a new link to it. */
  takeState({ changes, live }: HostedJobState): void {
    this.#isStartKnown = true;
    for (const change of changes) this.apply(change);
    if (live !== undefined) this.takeLive(live);
    void this.#log.rewatch().catch(this.#parts.onError);
  }

  /**
   * Takes a change that the host reports, or the end that another host has found out after the host has died. A change
   * that is known already has no effect.
   */
  apply({ status, details }: Pick<JobChange, "status" | "details">): void {
    this.#isStartKnown = true;
    if (!isLaterState(status.state, this.history.latest.state)) return;
    this.#process = { bootId: this.#parts.bootId, ...this.#process, ...details.process };
    if (isFinalState(status.state)) {
      this.#live = undefined;
      // A watcher that sees the final status can read all of the output.
      if (details.output !== undefined) this.#log.seal(details.output);
      else this.#log.abandon(new OutputUnavailableError(this.id));
    }
    this.#parts.record(status, { ...details, process: this.#process });
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

  /** Waits until the host knows of the start. A job that no machine of an engine has needs no answer, which may be late. */
  async #startKnown(): Promise<void> {
    if (this.#host?.isUnclaimed !== true) await this.#begun;
  }

  async #watchLog(): Promise<MirrorState | undefined> {
    await this.#startKnown();
    if (this.#host === undefined) return { start: LOG_START, end: LOG_START, totals: NO_TOTALS };
    return await this.#host.link.watch(this.id);
  }

  /** Starts the job and resolves with its final status. */
  override async start(by?: string): Promise<JobStatus> {
    await this.begin(by);
    return await this.#finalStatus();
  }

  /** Stops the job and resolves with its final status. If it is not running, the call only returns its status. */
  override async stop(options: StopOptions = {}): Promise<JobStatus> {
    await this.#startKnown();
    if (!this.isRunningState) return this.status;
    // A stop of a job that the host does not know yet would have no effect.
    if (this.isStartUnknown && this.#host?.isUnclaimed !== true) await this.requestStart();
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
    const [usage, status] = await Promise.all([this.#host?.usageOf(this.id), this.freshStatus()]);
    return usage === undefined || !this.isRunningState ? status : { ...status, usage };
  }

  /** Returns the status with facts that the host reports now. While it cannot be reached, with the last known facts. */
  async freshStatus(): Promise<JobStatus> {
    await this.refresh();
    return this.status;
  }

  protected override refresh(): Promise<void> | undefined {
    const host = this.isRunningState ? this.#host : undefined;
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
    if (this.#host === undefined || !this.isRunningState) throw this.notRunning(action);
    return this.#host.link;
  }
}
