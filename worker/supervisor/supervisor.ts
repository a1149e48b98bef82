/**
 * Owns all jobs: registers, starts, stops, signals, lists and removes them, and lets any number of watchers watch them.
 *
 * Each method only waits for recovery and calls the file that does the work.
 *
 * Long: this is the public class of the library, so most of its lines are documentation for callers.
 */
import { checkJobOptions, DEFAULT_CWD } from "../launch/command.ts";
import type { Isolation } from "../../base/job_options/table.ts";
import { JobNotFoundError, JobRunningError, SupervisorClosedError } from "../errors.ts";
import type { InputChunk, InputOptions, InputResult } from "../process/stdin.ts";
import type { AnyJob, OutputEnd } from "../job/any_job.ts";
import type { JobFilter } from "../job/filter.ts";
import { checkJob, type JobOptions, type JobStatus } from "../job/spec.ts";
import type { OutputChunk } from "../output/chunk.ts";
import type { OutputSelection } from "../output/follow.ts";
import type { StopOptions } from "../process/options.ts";
import type { JobEvent } from "./job_events.ts";
import { JobRegistry } from "./job_registry.ts";
import { isRunningState } from "../process/state.ts";
import { countRunning, type SupervisorStatistics } from "./statistics.ts";
import { type JobPage, type ListOptions, listPage } from "./list_page.ts";
import { IsolationProbe } from "../host/isolation_probe.ts";
import { admit, checkDefaults, defaultsCheck, hostCheckBefore } from "./admission.ts";
import { applyLimits } from "./job_limits.ts";
import type { StoredJob } from "../store/rows.ts";
import { defined } from "../../base/defined.ts";
import { checkOptions, type SupervisorOptions } from "./options.ts";
import { closeOnSignals } from "./closing_signals.ts";
import { type AddedJob, addedJob } from "./job_request.ts";
import { registerJob } from "./registration.ts";
import { goesToEngine } from "../engine/needs.ts";
import { Shutdown } from "./shutdown.ts";
import type { TerminalSize } from "../terminal/size.ts";
import { type Watch, watch, watchLater } from "../watch.ts";
import { aborted } from "../../base/aborted.ts";

/**
 * Owns all jobs. Its methods take and return plain data and are asynchronous, so that another process can serve them.
 *
 * @example
 * ```ts
 * import { Supervisor } from "./supervisor.ts";
 *
 * await using supervisor = new Supervisor();
 * const id = await supervisor.add("sh", ["-c", "echo hello; exit 7"]);
 * await supervisor.start(id);
 * for await (const chunk of supervisor.watchOutput(id)) await Deno.stdout.write(chunk.data);
 * const status = await supervisor.status(id);
 * console.assert(status.state === "EXITED" && status.exitCode === 7);
 * ```
 */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #registry: JobRegistry;
  readonly #ready: Promise<void>;
  readonly #isolation = new IsolationProbe();
  readonly #shutdown: Shutdown;
  readonly #signalHandlers: Disposable;
  #isReady = false;
  #closed: Promise<void> | undefined;

  /**
   * @throws {DirectoryInUseError} when another process uses the directory
   * @throws {StoreUnusableError} when the database in the directory is damaged, of a newer version, or cannot be written
   * @throws {InvalidArgumentError} when an option is out of range
   * @throws {NotEnforceableError} when no job here can have the default or maximum limits of a cgroup
   */
  constructor(options: SupervisorOptions = {}) {
    checkOptions(options);
    checkDefaults(options);
    this.#options = options;
    this.#registry = new JobRegistry(options);
    this.#ready = this.#recover();
    // Every call throws this error. Without this line a failure before the first call would be an unhandled rejection.
    this.#ready.catch(() => {});
    this.#shutdown = new Shutdown(this.#registry, this.#ready);
    const { closeOn = [] } = options;
    this.#signalHandlers = closeOnSignals(closeOn, (atOnce) => this.close(atOnce ? { graceMs: 0 } : {}));
  }

  async #recover(): Promise<void> {
    await this.#registry.recover();
    await this.#registry.hosted?.check(defaultsCheck(this.#options));
    this.#isReady = true;
  }

  /**
   * Resolves when recovery has finished. With job hosts, the jobs of the previous supervisor are continued. Without, its
   * survivors are ended. Its output is repaired. Every call waits for recovery. A server waits for it before it accepts
   * calls.
   */
  ready(): Promise<void> {
    return this.#ready;
  }

  /**
   * Serves until the signal aborts. Then accepts no new work and stops all jobs (reason `SHUTDOWN`). Jobs and output can
   * be read until the supervisor is closed. Jobs of job hosts continue, unless the option `stopsJobs` is true.
   *
   * @returns the number of jobs that should have ended and have not
   */
  async run(options: { readonly signal: AbortSignal }): Promise<number> {
    await this.#ready;
    await aborted(options.signal);
    return await this.#end(this.#options.closeGraceMs);
  }

  async #end(graceMs: number | undefined, stopsJobs = this.#options.stopsJobs): Promise<number> {
    if (this.#registry.hosted === undefined || stopsJobs) return await this.#shutdown.stopJobs(graceMs);
    await this.#shutdown.leaveJobs();
    return 0;
  }

  /**
   * Registers a job and returns its id. The job does not start. If the same owner has sent the same request with the same
   * request id before, returns the id of that job.
   *
   * @param command a path, or a name that is looked up in the job's PATH; never passed through a shell
   * @throws {InvalidArgumentError} when the command is empty, the directory is relative, or a text is too long or has
   * a NUL byte
   * @throws {InvalidNameError} when the name has a form that names do not have
   * @throws {NameTakenError} when another job of the owner has the name and has not ended
   * @throws {NotEnforceableError} when the host or the supervisor cannot enforce an option
   * @throws {LimitReachedError} when there are too many jobs and none can be removed
   * @throws {RequestIdReusedError} when the owner used the request id for another job
   * @throws {NotRecordedError} when the job cannot be written
   * @throws {SupervisorClosedError} when the supervisor is shutting down
   */
  async add(command: string, args: readonly string[] = [], options: JobOptions = {}): Promise<string> {
    await this.#ready;
    this.#shutdown.assertOpen();
    checkJob(command, args, options);
    const { hosted } = this.#registry;
    if (hosted !== undefined && !goesToEngine(options, this.#options.placing)) {
      const { cwd = DEFAULT_CWD } = { ...this.#options, ...options };
      await hosted.check(hostCheckBefore({ ...applyLimits(options, this.#options), cwd }, this.#options));
      this.#shutdown.assertOpen();
    } else if (hosted === undefined && options.isolation !== undefined) {
      await this.#isolation.check(options.isolation);
      this.#shutdown.assertOpen();
    }
    return registerJob(this.#registry, this.#options, command, args, options);
  }

  /** True when an engine can place jobs on other machines. */
  get hasEngine(): boolean {
    return this.#options.placing !== undefined;
  }

  /**
   * Starts a job and returns its status: starting, running, or failed to start. A job that was started before is left
   * unchanged.
   *
   * @param options.by the user who requested the start
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {LimitReachedError} when no more jobs may run
   * @throws {HostExhaustedError} when the host has no resources for the job now; it can be started later
   * @throws {NotEnforceableError} when the host or the supervisor can no longer enforce an option
   * @throws {NotRecordedError} when the start cannot be written
   * @throws {SupervisorClosedError} when the supervisor is shutting down
   */
  async start(id: string, options: { readonly by?: string } = {}): Promise<JobStatus> {
    await this.#ready;
    if (this.#registry.status(id).state !== "INITIAL") return await this.status(id);
    this.#shutdown.assertOpen();
    const { hosted } = this.#registry;
    if (hosted?.hasHost === false && !goesToEngine(this.#registry.stored(id).spec, this.#options.placing)) {
      await hosted.prepare();
      return await this.start(id, options); // The job may have been started or removed in the meantime.
    }
    const job = this.#registry.job(id);
    admit(job.spec, this.#options, this.#registry.liveJobs.running());
    await job.begin(options.by);
    return job.status;
  }

  /**
   * Stops a job: sends SIGTERM to its process group, and after the grace period SIGKILL to all its processes. Returns the
   * final status; if the job is not running, its status.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {InvalidArgumentError} when the grace period is out of range
   */
  async stop(id: string, options: StopOptions = {}): Promise<JobStatus> {
    if (options.graceMs !== undefined) checkJobOptions({ graceMs: options.graceMs });
    await this.#ready;
    return await this.#registry.job(id).stop(options);
  }

  /**
   * Sends a signal to a job's process group.
   *
   * @param signal a name with or without SIG, or a number from 1 to 64
   * @param options.by the user who requested the signal
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {InvalidSignalError} when Linux has no such signal
   * @throws {JobNotRunningError} when the job is not running
   * @throws {SignalDeniedError} when the kernel does not let the server signal a process of the job
   */
  async signal(id: string, signal: string, options: { readonly by?: string } = {}): Promise<JobStatus> {
    await this.#ready;
    return await this.#registry.job(id).signal(signal, options.by);
  }

  /**
   * Writes to the input of a running job that was added with `input: true`. It requests each chunk when the job has read
   * the previous one, so a slow job slows its writer and uses no memory. Without an `end` chunk the input stays open for
   * the next writer.
   *
   * @param options.signal ends the writing; the input stays as it is
   * @returns the bytes that were accepted; also when the job ended, or closed its input, before all were written
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {NoInputError} when the job was added without an input
   * @throws {JobNotRunningError} when the job is not running
   * @throws {InputBusyError} when another writer uses the input; `InputTakenOverError` when a newer call replaced this one
   * @throws {InputClosedError} when the input is closed
   * @throws {InputOffsetError} when the writer cannot continue at the offset
   * @throws {InvalidArgumentError} when a chunk has more than 262,144 bytes
   */
  async writeInput(
    id: string,
    chunks: AsyncIterable<InputChunk>,
    options: InputOptions = {},
  ): Promise<InputResult> {
    await this.#ready;
    return await this.#registry.job(id).writeInput(chunks, options);
  }

  /**
   * Pauses all processes of a job and resolves when they are paused. The time limit of the job continues to run, and the
   * job can be stopped.
   *
   * @param options.by the user who requested the pause
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {JobNotRunningError} when the job is not running, or is being stopped
   */
  async pause(id: string, options: { readonly by?: string } = {}): Promise<JobStatus> {
    await this.#ready;
    return await this.#registry.job(id).pause(options.by);
  }

  /**
   * Resumes all processes of a job.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {JobNotRunningError} when the job is not running
   */
  async resume(id: string): Promise<JobStatus> {
    await this.#ready;
    return await this.#registry.job(id).resume();
  }

  /**
   * Changes the size of a job's terminal. Its foreground process group gets SIGWINCH, if the size is another one.
   *
   * @throws {InvalidArgumentError} when a side is not an integer from 1 to 10,000
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {NoTerminalError} when the job was registered without a terminal
   * @throws {JobNotRunningError} when the job is not running
   */
  async resize(id: string, size: TerminalSize): Promise<JobStatus> {
    await this.#ready;
    return await this.#registry.job(id).resize(size);
  }

  /**
   * Returns what `add()` was called with for a job, without what this supervisor adds to every job. It has the values of
   * environment variables, so it is not for everyone who may see the job.
   *
   * @throws {JobNotFoundError} when the job does not exist
   */
  async added(id: string): Promise<AddedJob> {
    await this.#ready;
    return addedJob(this.#registry.stored(id).spec, this.#options);
  }

  /** Returns the id of the job that an owner's request made; undefined when there is none, or it is removed. */
  async requested(owner: string | undefined, requestId: string): Promise<string | undefined> {
    await this.#ready;
    this.#registry.assertReadable();
    const request = this.#registry.store.findRequest(owner, requestId);
    return request === undefined || request.isRemoved ? undefined : request.id;
  }

  /**
   * Returns the status of a job.
   *
   * @param options.usage adds the resource usage of a running job, measured now
   * @param options.cached true when the caller needs no present counts, which a job host must be asked for
   * @throws {JobNotFoundError} when the job does not exist
   */
  async status(
    id: string,
    options: { readonly usage?: boolean; readonly cached?: boolean } = {},
  ): Promise<JobStatus> {
    await this.#ready;
    const status = this.#registry.status(id);
    if (!isRunningState(status.state)) return status;
    if (options.usage) return await this.#registry.job(id).measuredStatus();
    if (this.#registry.hosted === undefined || options.cached) return status;
    await this.#registry.hosted.refresh([this.#registry.liveJobs.get(id)]);
    return this.#registry.status(id);
  }

  /**
   * Watches a job's status: the current one, then every change up to the final one.
   *
   * The iteration throws `JobNotFoundError` when the job does not exist, and the reason of the signal when it aborts. It
   * throws `HostUnavailableError` while the job host does not answer.
   *
   * @param options.skipInitial leaves out `INITIAL`, for a caller that is about to start the job. Returns `STARTING` once more
   *   when an engine has the job, if it had not answered before
   */
  watchStatus(
    id: string,
    options: { readonly signal?: AbortSignal; readonly skipInitial?: boolean } = {},
  ): Watch<JobStatus> {
    return this.#watchJob(id, options.signal, (job, signal) => job.watchStatus(signal, options));
  }

  /**
   * Watches a job's output: everything from the first byte, then live, to the end of the job. The iteration returns the
   * totals, digests and final status. A `for await` loop discards this value; `yield*` returns it.
   *
   * The iteration throws the errors below, and the reason of the signal when it aborts.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {InvalidCursorError} when the output of this job did not give out the cursor
   * @throws {CursorOutOfRangeError} when the cursor is beyond the end of the output
   * @throws {HostUnavailableError} while the job host does not answer, after the output that is known
   */
  watchOutput(
    id: string,
    options: OutputSelection & { readonly signal?: AbortSignal } = {},
  ): Watch<OutputChunk, OutputEnd> {
    return this.#watchJob(id, options.signal, (job, signal) => job.watchOutput(options, signal));
  }

  /** Watches a job. If it cannot be found now, looks again at the first `next()`, because recovery may be running. */
  #watchJob<Item, Final>(
    id: string,
    signal: AbortSignal | undefined,
    watchJob: (job: AnyJob, signal: AbortSignal | undefined) => Watch<Item, Final>,
  ): Watch<Item, Final> {
    this.#registry.attend();
    try {
      if (this.#isReady) return watchJob(this.#registry.job(id), signal);
    } catch (error) {
      if (!(error instanceof JobNotFoundError || error instanceof SupervisorClosedError)) throw error;
    }
    return watchLater(signal, async (combined) => {
      await this.#ready;
      return watchJob(this.#registry.job(id), combined);
    });
  }

  /**
   * Watches many jobs: each as it is now, oldest first, then every change. The watch does not end by itself. Retention
   * does not remove a job while a watch has its id in the filter.
   *
   * The iteration throws the errors below, and the reason of the signal when it aborts.
   *
   * @param filter selects jobs; the change by which a job leaves the selected states is sent too
   * @param options.token resumes after the event with this token; if that is too long ago, the watch starts again
   * @throws {InvalidArgumentError} when the filter or the token is invalid
   * @throws {JobNotFoundError} when a job of `ids` does not exist
   * @throws {SupervisorClosedError} when the supervisor closes, after the last change
   * @throws {HostUnavailableError} while the job host of a selected job does not answer, after the last change
   * @example
   * ```ts
   * import { Supervisor } from "./supervisor.ts";
   *
   * await using supervisor = new Supervisor();
   * await supervisor.add("true");
   * const types: string[] = [];
   * for await (const { type } of supervisor.watchJobs({ states: ["INITIAL"] })) {
   *   types.push(type);
   *   if (type === "current") break; // Changes follow from here on.
   * }
   * console.assert(types.join() === "known,current");
   * ```
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
    this.#registry.assertReadable();
    // With a token the jobs existed before, and their removal is an event.
    if (token === undefined) {
      for (const id of filter.ids ?? []) this.#registry.stored(id);
      await this.#registry.hosted?.refresh(this.#registry.liveJobs.running());
    }
    this.#registry.attend();
    yield* this.#registry.events.read(filter, token, signal);
  }

  /**
   * Lists jobs page by page, newest first unless `ascending` is true.
   *
   * @throws {InvalidArgumentError} when the filter, the page size or the page token is invalid
   * @example
   * ```ts
   * import { Supervisor } from "./supervisor.ts";
   *
   * await using supervisor = new Supervisor();
   * await supervisor.add("true", [], { owner: "ann" });
   * const { jobs, nextPageToken } = await supervisor.list({ owner: "ann", states: ["INITIAL"], pageSize: 10 });
   * console.assert(jobs.length === 1 && nextPageToken === undefined);
   * ```
   */
  async list(options: ListOptions = {}): Promise<JobPage> {
    await this.#ready;
    this.#registry.assertReadable();
    const { store, pageTokens } = this.#registry;
    const statusOf = (job: StoredJob) => this.#registry.statusOf(job);
    const { hosted } = this.#registry;
    const refresh = hosted && ((jobs: readonly StoredJob[]) => {
      return hosted.refresh(jobs.map(({ spec }) => this.#registry.liveJobs.get(spec.id)));
    });
    return await listPage(store, pageTokens, options, { statusOf, ...defined({ refresh }) });
  }

  /**
   * Removes a job that has ended or was never started, and its output.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {JobRunningError} when the job is running
   * @throws {NotRecordedError} when the removal cannot be written
   */
  async remove(id: string): Promise<void> {
    await this.#ready;
    const { state } = this.#registry.status(id);
    if (isRunningState(state)) throw new JobRunningError(id, state);
    await this.#registry.remove(id);
  }

  /**
   * Returns for each level of isolation why this host cannot provide it; an empty text when it can.
   *
   * The check isolates a program that does nothing. It runs once for a level that works.
   */
  async isolations(): Promise<Readonly<Record<Isolation, string>>> {
    await this.#ready;
    const { hosted } = this.#registry;
    return hosted === undefined ? await this.#isolation.reasons() : await hosted.isolations();
  }

  /**
   * Asks all job hosts for an answer, and returns at once. So a host that hangs is reported by `onAvailability`, also when
   * no call needs it.
   */
  askHosts(): void {
    this.#registry.hosted?.askAll();
  }

  /** Returns figures for monitoring. It reads only memory, so a monitor may call it often. */
  async statistics(): Promise<SupervisorStatistics> {
    await this.#ready;
    this.#registry.assertReadable();
    await this.#registry.hosted?.refresh(this.#registry.liveJobs.running());
    const { liveJobs, store, counters, disk } = this.#registry;
    const live = liveJobs.all();
    const jobs = store.states;
    return {
      jobs,
      running: countRunning(jobs),
      watchers: live.reduce((sum, job) => sum + job.watchers, 0),
      ...counters.now(live.filter((job) => job.isRunningState).map((job) => job.output)),
      ...disk,
    };
  }

  /**
   * Stops all running jobs (reason `SHUTDOWN`), accepts no new ones, and frees the directory for another process.
   * Resolves when all jobs have ended, at the latest ten seconds after the last grace period. A second close joins the
   * first. Jobs of job hosts continue, and the next supervisor with the directory continues with them.
   *
   * @param options.stopJobs true stops the jobs of job hosts too; the option `stopsJobs` unless given
   * @param options.graceMs the grace period of every job in milliseconds; it also shortens a close that has begun
   * @throws {InvalidArgumentError} when the grace period is out of range
   */
  async close(options: { readonly graceMs?: number; readonly stopJobs?: boolean } = {}): Promise<void> {
    if (options.graceMs !== undefined) checkJobOptions({ graceMs: options.graceMs });
    const ended = this.#end(options.graceMs ?? this.#options.closeGraceMs, options.stopJobs);
    this.#closed ??= ended.then(() => this.#registry.close()).finally(() => this.#signalHandlers[Symbol.dispose]());
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
