/** Keeps all jobs: registers, starts, stops, signals, lists and forgets them, and lets any number of watchers watch. */
import { checkJobOptions, DEFAULT_CWD } from "../launch/command.ts";
import type { Isolation } from "../../base/job_options/table.ts";
import { JobNotFoundError, JobRunningError, RequestIdReusedError, SupervisorClosedError } from "../errors.ts";
import type { InputOptions, InputPiece, InputTaken } from "../process/stdin.ts";
import type { AnyJob, OutputEnd } from "../job/any_job.ts";
import { digestOf } from "../job/digest.ts";
import type { JobFilter } from "../job/filter.ts";
import { newJobId } from "../job/id.ts";
import { checkJob, type JobOptions, type JobSpec, type JobStatus } from "../job/spec.ts";
import type { OutputChunk } from "../output/chunk.ts";
import type { OutputSelection } from "../output/follow.ts";
import type { StopOptions } from "../process/options.ts";
import type { JobEvent } from "./job_events.ts";
import { JobRegistry } from "./job_registry.ts";
import { isRunningState } from "../process/state.ts";
import type { SupervisorStatistics } from "./statistics.ts";
import { type JobPage, type ListOptions, listPage } from "./list_page.ts";
import { IsolationProbe } from "./isolation_probe.ts";
import { checkPossible, checkRunning, withLimits } from "./admission.ts";
import { checkOptions, type SupervisorOptions } from "./options.ts";
import { closeOnSignals } from "./closing_signals.ts";
import { type Watch, watch } from "../watch.ts";
import { defined } from "../../base/defined.ts";

/**
 * When jobs are ended because the supervisor closes, it waits so much longer than their grace periods for the ends to be
 * seen. What the kernel still holds then (a dead disk, say) is left to the next life to end.
 */
const STUCK_MS = 10_000;

/**
 * Owns all jobs. What crosses its face is plain data, and its calls are asynchronous, so that it can be served from
 * another process.
 *
 * @example
 * ```ts
 * import { Supervisor } from "./supervisor.ts";
 *
 * await using supervisor = new Supervisor();
 * const id = await supervisor.add("sh", ["-c", "echo hello; exit 7"]);
 * await supervisor.start(id);
 * for await (const piece of supervisor.watchOutput(id)) await Deno.stdout.write(piece.data);
 * const status = await supervisor.status(id);
 * console.assert(status.state === "EXITED" && status.exitCode === 7);
 * ```
 */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #keep: JobRegistry;
  readonly #ready: Promise<void>;
  readonly #isolation = new IsolationProbe();
  readonly #signals: Disposable;
  #isReady = false;
  #stopped: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * @throws {DirectoryInUseError} when another process keeps its jobs in the directory
   * @throws {StoreUnusableError} when the database there is damaged, of a later version, or cannot be written
   * @throws {InvalidArgumentError} when a limit is out of range
   * @throws {NotEnforceableError} when no job can be held to the default or greatest limits of a cgroup here
   */
  constructor(options: SupervisorOptions = {}) {
    checkOptions(options);
    this.#options = options;
    this.#keep = new JobRegistry(options);
    this.#ready = this.#keep.recover().then(() => {
      this.#isReady = true;
    });
    // Each call says what went wrong; nobody need have called yet.
    this.#ready.catch(() => {});
    const { closeOn = [] } = options;
    this.#signals = closeOnSignals(closeOn, (atOnce) => this.close(atOnce ? { graceMs: 0 } : {}));
  }

  /**
   * Resolves when the jobs of an earlier life are taken up: what was left running of them is ended, their output is
   * mended. Every call waits for it; a server waits for it before it takes calls.
   */
  ready(): Promise<void> {
    return this.#ready;
  }

  /**
   * Serves until the signal aborts, then takes no new work and stops all jobs (reason `SHUTDOWN`). What is on record can
   * be read until the supervisor is closed, which gives its directory back.
   */
  async run(options: { readonly signal: AbortSignal }): Promise<void> {
    await this.#ready;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    options.signal.addEventListener("abort", wake, { once: true });
    if (options.signal.aborted) resolve();
    await promise;
    await this.#stopAll(this.#options.closeGraceMs);
  }

  /**
   * Adds a job and returns its id; nothing runs yet. With a request id that the same owner used before for the same job,
   * that job's id.
   *
   * @param command a path, or a name looked up in the job's PATH; never passed through a shell
   * @throws {InvalidArgumentError} for an empty command, a NUL byte, a relative directory, too long arguments
   * @throws {NotEnforceableError} for what the host or the supervisor cannot do for it
   * @throws {LimitReachedError} when there are too many jobs that cannot be forgotten
   * @throws {RequestIdReusedError} when the request id named another job
   * @throws {NotRecordedError} when it cannot be written down
   * @throws {SupervisorClosedError} when the supervisor is shutting down
   */
  async add(command: string, args: readonly string[] = [], options: JobOptions = {}): Promise<string> {
    await this.#ready;
    this.#mustBeOpen();
    checkJob(command, args, options);
    if (options.isolation !== undefined) {
      await this.#isolation.check(options.isolation);
      this.#mustBeOpen();
    }
    const { requestId, owner } = options;
    const digest = requestId === undefined
      ? undefined
      // Null, so that digests stay what they are in databases of earlier versions.
      : digestOf([command, args, { ...options, requestId: null }]);
    // Nothing is waited for between here and the end, or calls made at once would all find room, or no such request.
    const known = requestId === undefined ? undefined : this.#keep.store.request(owner, requestId);
    if (known !== undefined) {
      if (known.digest === digest && !known.isRemoved) return known.id;
      const why = known.digest === digest ? "named a job that was removed since" : "was used for another job";
      throw new RequestIdReusedError(requestId ?? "", why);
    }
    const limited = withLimits(options, this.#options);
    checkPossible(limited, this.#options);
    this.#keep.checkLimits({ ...limited, cwd: this.#cwdOf(options) });
    const outputLimit = options.outputLimit ?? this.#options.outputLimit;
    const spec: JobSpec = {
      ...structuredClone(limited),
      id: newJobId(),
      command,
      args: [...args],
      cwd: this.#cwdOf(options),
      ...defined({ outputLimit }),
      registeredAt: new Date(),
    };
    this.#keep.add(spec, digest);
    return spec.id;
  }

  /**
   * Starts a job and returns its status then: starting, running, or failed to start. A job that runs is left to run; one
   * that has ended keeps its final status.
   *
   * @param options.by the user who asked, for the record
   * @throws {JobNotFoundError} when there is no such job
   * @throws {LimitReachedError} when so many run that no more may
   * @throws {HostExhaustedError} when the host has no room for it now; it can be started later
   * @throws {NotEnforceableError} for what the host or the supervisor cannot do for it any more
   * @throws {NotRecordedError} when the start cannot be written down
   * @throws {SupervisorClosedError} when the supervisor is shutting down
   */
  async start(id: string, options: { readonly by?: string } = {}): Promise<JobStatus> {
    await this.#ready;
    const status = this.#keep.status(id);
    if (status.state !== "INITIAL") return status;
    this.#mustBeOpen();
    const job = this.#keep.job(id);
    // The host may have changed since, and this may be another life of the server.
    checkPossible(job.spec, this.#options);
    this.#keep.checkLimits(job.spec);
    checkRunning(job.spec.owner, this.#keep.jobs.running(), this.#options);
    const ended = job.start(options.by);
    if (job.isInitialState) await ended;
    return job.status;
  }

  /**
   * Stops a job: SIGTERM to its process group, after the grace period SIGKILL to all that is left of it. Returns the
   * final status; for a job that is not running, the status it has.
   *
   * @throws {JobNotFoundError} when there is no such job
   * @throws {InvalidArgumentError} when the grace period is out of range
   */
  async stop(id: string, options: StopOptions = {}): Promise<JobStatus> {
    if (options.graceMs !== undefined) checkJobOptions({ graceMs: options.graceMs });
    await this.#ready;
    return await this.#keep.job(id).stop(options);
  }

  /**
   * Sends a signal to a job's process group.
   *
   * @param signal a name with or without SIG, or a number from 1 to 64
   * @param options.by the user who asked, for the record
   * @throws {JobNotFoundError} when there is no such job
   * @throws {InvalidSignalError} when Linux has no such signal
   * @throws {JobNotRunningError} when the job is not running
   */
  async signal(id: string, signal: string, options: { readonly by?: string } = {}): Promise<JobStatus> {
    await this.#ready;
    return await this.#keep.job(id).signal(signal, options.by);
  }

  /**
   * Writes to the input of a running job that was added with `input: true`. Pieces are asked for as the job reads, so one
   * that does not read holds up its writer and no memory. Without an `end` the input stays open for the next writer.
   *
   * @param options.signal ends the writing; the input stays as it is
   * @returns what was taken; also when the job ended, or closed its input, before all was
   * @throws {JobNotFoundError} when there is no such job
   * @throws {NoInputError} when it was added without an input
   * @throws {JobNotRunningError} when it is not running
   * @throws {InputBusyError} when another writer has the input; `InputTakenOverError` when the same one called again
   * @throws {InputClosedError} when the input was closed before
   * @throws {InputOffsetError} when the offset is not where this writer can go on
   * @throws {InvalidArgumentError} for a piece of more than 262,144 bytes
   */
  async writeInput(
    id: string,
    pieces: AsyncIterable<InputPiece>,
    options: InputOptions = {},
  ): Promise<InputTaken> {
    await this.#ready;
    return await this.#keep.job(id).writeInput(pieces, options);
  }

  /**
   * Lets all processes of a job stand still, and resolves when they do. Its time limit goes on, and a stop is heard.
   *
   * @param options.by the user who asked, for the record
   * @throws {JobNotFoundError} when there is no such job
   * @throws {JobNotRunningError} when the job is not running, or is being stopped
   */
  async pause(id: string, options: { readonly by?: string } = {}): Promise<JobStatus> {
    await this.#ready;
    return await this.#keep.job(id).pause(options.by);
  }

  /**
   * Lets all processes of a job go on.
   *
   * @throws {JobNotFoundError} when there is no such job
   * @throws {JobNotRunningError} when the job is not running
   */
  async resume(id: string): Promise<JobStatus> {
    await this.#ready;
    return await this.#keep.job(id).resume();
  }

  /**
   * Returns the status of a job now.
   *
   * @param options.usage reads what it uses and has used too, where it is running
   * @throws {JobNotFoundError} when there is no such job
   */
  async status(id: string, options: { readonly usage?: boolean } = {}): Promise<JobStatus> {
    await this.#ready;
    const status = this.#keep.status(id);
    return options.usage && isRunningState(status.state) ? await this.#keep.job(id).measuredStatus() : status;
  }

  /**
   * Watches a job's status: the one it has at the call, then every change, to the final one.
   *
   * The iteration throws `JobNotFoundError` when there is no such job, and the signal's reason once it aborts.
   *
   * @param options.skipInitial leaves `INITIAL` out, for one who is about to start the job
   */
  watchStatus(
    id: string,
    options: { readonly signal?: AbortSignal; readonly skipInitial?: boolean } = {},
  ): Watch<JobStatus> {
    return this.#watchJob(id, options.signal, (job, signal) => job.watchStatus(signal, options));
  }

  /**
   * Watches a job's output: everything from the first byte, then live, to the end of the job. The iteration returns the
   * totals, digests and final status; a `for await` loop passes over them, `yield*` gives them.
   *
   * The iteration throws `JobNotFoundError` when there is no such job, `InvalidCursorError` or `CursorOutOfRangeError`
   * for a cursor that this job's output did not give out, and the signal's reason once it aborts.
   */
  watchOutput(
    id: string,
    options: OutputSelection & { readonly signal?: AbortSignal } = {},
  ): Watch<OutputChunk, OutputEnd> {
    return this.#watchJob(id, options.signal, (job, signal) => job.watchOutput(options, signal));
  }

  /** A watch of a job; of one that is not there, or not yet: those of an earlier life may still be being taken up. */
  #watchJob<Item, Final>(
    id: string,
    signal: AbortSignal | undefined,
    watchJob: (job: AnyJob, signal: AbortSignal | undefined) => Watch<Item, Final>,
  ): Watch<Item, Final> {
    try {
      if (this.#isReady) return watchJob(this.#keep.job(id), signal);
    } catch (error) {
      if (!(error instanceof JobNotFoundError || error instanceof SupervisorClosedError)) throw error;
    }
    return watch(signal, (combined) => this.#later(id, (job) => watchJob(job, combined)));
  }

  async *#later<Item, Final>(
    id: string,
    watchJob: (job: AnyJob) => Watch<Item, Final>,
  ): AsyncGenerator<Item, Final, void> {
    await this.#ready;
    await using found = watchJob(this.#keep.job(id));
    while (true) {
      const { done, value } = await found.next();
      if (done) return value;
      yield value;
    }
  }

  /**
   * Watches many jobs: each as it is at the call, oldest first, then every change. It does not end by itself. A job that
   * is given by its id is not forgotten by retention while it is watched so.
   *
   * The iteration throws `InvalidArgumentError` for a filter that cannot be or a token that was not given out,
   * `JobNotFoundError` when a job of `ids` is not there, the signal's reason once it aborts, and `SupervisorClosedError`
   * when the supervisor closes and everything was told.
   *
   * @param filter which jobs; a change by which a job leaves the states asked for is told too
   * @param options.token goes on behind the event it came with. Where that is too long ago, the watch begins anew
   */
  watchJobs(
    filter: JobFilter = {},
    options: { readonly signal?: AbortSignal; readonly token?: string } = {},
  ): Watch<JobEvent> {
    return watch(options.signal, (signal) => this.#readEvents(structuredClone(filter), options.token, signal));
  }

  async *#readEvents(
    filter: JobFilter,
    token: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<JobEvent, void, void> {
    await this.#ready;
    this.#keep.mustBeReadable();
    // With a token they were there before; that they are gone is an event.
    if (token === undefined) { for (const id of filter.ids ?? []) this.#keep.stored(id); }
    yield* this.#keep.events.read(filter, token, signal);
  }

  /**
   * Lists jobs, newest first unless asked otherwise, page by page.
   *
   * @throws {InvalidArgumentError} for a filter, size or token that cannot be
   */
  async list(options: ListOptions = {}): Promise<JobPage> {
    await this.#ready;
    this.#keep.mustBeReadable();
    return await listPage(this.#keep.store, this.#keep.sealer, options, (job) => this.#keep.statusOf(job));
  }

  /**
   * Forgets a job that has ended or was never started, and its output.
   *
   * @throws {JobNotFoundError} when there is no such job
   * @throws {JobRunningError} when it is running
   * @throws {NotRecordedError} when that cannot be written down
   */
  async remove(id: string): Promise<void> {
    await this.#ready;
    const status = this.#keep.status(id);
    if (!JobRegistry.isForgettable(status)) throw new JobRunningError(id, status.state);
    await this.#keep.forget(id);
  }

  /** How many jobs are kept, how many of them run, and how many watchers they have. */
  // deno-lint-ignore require-await -- asynchronous by contract, like every call
  async counts(): Promise<{ readonly jobs: number; readonly running: number; readonly watchers: number }> {
    const jobs = this.#keep.jobs.all();
    return {
      jobs: this.#keep.count,
      running: jobs.filter((job) => job.isRunningState).length,
      watchers: jobs.reduce((sum, job) => sum + job.watchers, 0),
    };
  }

  /**
   * Says of each level of isolation why it cannot be had here; an empty text where it can.
   *
   * It isolates a program that does nothing. A level that works is tried once.
   */
  async isolations(): Promise<Readonly<Record<Isolation, string>>> {
    await this.#ready;
    const why = (isolation: Isolation) =>
      this.#isolation.check(isolation).then(
        () => "",
        (error) => error instanceof Error ? error.message : String(error),
      );
    return { PRIVATE: await why("PRIVATE"), STRICT: await why("STRICT") };
  }

  /** Returns figures for monitoring; reads memory only, so a monitor may ask often. */
  async statistics(): Promise<SupervisorStatistics> {
    await this.#ready;
    this.#keep.mustBeReadable();
    const { jobs, store, counters, disk } = this.#keep;
    const all = jobs.all();
    return {
      jobs: store.states,
      watchers: all.reduce((sum, job) => sum + job.watchers, 0),
      ...counters.now(all.filter((job) => job.isRunningState).map((job) => job.output)),
      ...disk,
    };
  }

  /**
   * Stops all running jobs (reason `SHUTDOWN`), takes no new ones, and gives the directory back. Resolves when all have
   * ended, at the latest ten seconds after the last grace period; a second close joins the first.
   *
   * @param options.graceMs shortens the grace period of every job, also when already closing
   * @throws {InvalidArgumentError} when the grace period is out of range
   */
  async close(options: { readonly graceMs?: number } = {}): Promise<void> {
    if (options.graceMs !== undefined) checkJobOptions({ graceMs: options.graceMs });
    const stopped = this.#stopAll(options.graceMs ?? this.#options.closeGraceMs);
    this.#closed ??= stopped.then(() => this.#keep.close()).finally(() => this.#signals[Symbol.dispose]());
    await this.#closed;
  }

  #stopAll(graceMs: number | undefined): Promise<void> {
    const running = this.#keep.jobs.all().filter((job) => job.isRunningState);
    const stops = running.map((job) => job.stop({ reason: "SHUTDOWN", graceMs: graceMs ?? job.graceMs }));
    const maxGraceMs = Math.max(0, ...running.map((job) => graceMs ?? job.graceMs));
    this.#stopped ??= this.#allStopped(stops, maxGraceMs + STUCK_MS);
    return this.#stopped;
  }

  async #allStopped(stops: readonly Promise<JobStatus>[], atMostMs: number): Promise<void> {
    await this.#ready.catch(() => {}); // Told to those who called.
    for (const job of this.#keep.jobs.all()) if (job.isInitialState) job.abandon(new SupervisorClosedError());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tooLong = new Promise<void>((resolve) => timer = setTimeout(resolve, atMostMs));
    // What cannot be stopped was reported; it is LOST to the next life.
    await Promise.race([Promise.allSettled(stops), tooLong]);
    clearTimeout(timer);
    this.#keep.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #cwdOf({ cwd = this.#options.cwd ?? DEFAULT_CWD }: JobOptions): string {
    return cwd;
  }

  #mustBeOpen(): void {
    if (this.#stopped !== undefined) throw new SupervisorClosedError();
  }
}
