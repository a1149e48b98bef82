/** Keeps all jobs: registers, starts, stops, signals, lists and forgets them, and lets any number of watchers watch. */
import { join } from "node:path";
import { checkGrace } from "./command.ts";
import {
  InvalidArgumentError,
  JobNotFoundError,
  JobRunningError,
  LimitReachedError,
  NotRecordedError,
  SupervisorClosedError,
} from "./errors.ts";
import { Job, type JobRecorder, type OutputEnd } from "./job.ts";
import { newJobId } from "./job_id.ts";
import { checkJob, type JobOptions, type JobSpec, type JobStatus } from "./job_spec.ts";
import { LOG_START } from "./output_cursor.ts";
import { checkOutputLimit, OutputBudget, type OutputLimit } from "./output_limit.ts";
import { OutputLog, type OutputLogOptions } from "./output_log.ts";
import type { OutputPiece } from "./output_piece.ts";
import type { OutputSelection } from "./output_watch.ts";
import { Process, type StopOptions } from "./process.ts";
import { bootId, endOrphans, lostStatus } from "./recovery.ts";
import { isFinalState, type State } from "./state.ts";
import { Store, type StoredJob } from "./store.ts";
import { type Watch, watch } from "./watch.ts";

/** A job costs about 4 KiB of memory: ten thousand are 40 MiB. Older ones are to be removed first. */
const DEFAULT_MAX_JOBS = 10_000;

/** A page is one message: a thousand statuses of usual size fit well under the 4 MiB that a message may take. */
const MAX_PAGE_SIZE = 1_000;
const DEFAULT_PAGE_SIZE = 100;

/** A page ends early when its jobs' words are this long: three bytes a character at most, so under 4 MiB as well. */
const MAX_PAGE_CHARS = 1_000_000;

/** Options of a supervisor. */
export interface SupervisorOptions {
  /**
   * Where jobs and their output are kept, for the next supervisor to take up. Absent: jobs are kept in memory, and output
   * in a temporary directory that is removed when the supervisor closes.
   */
  readonly directory?: string;
  /** The environment jobs begin with, instead of a plain PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where jobs run that name no directory; `/` unless given. */
  readonly cwd?: string;
  /** Between SIGTERM and SIGKILL when the supervisor closes, in milliseconds; each job's own unless given. */
  readonly closeGraceMs?: number;
  /** How much output of a job is recorded that does not say; no limit unless given. */
  readonly outputLimit?: OutputLimit;
  /** How much the output of all jobs may take on the disk, in bytes; no limit unless given. */
  readonly maxOutputBytes?: number;
  /** Told of errors that no caller is told of, such as a change that could not be written down. */
  readonly onError?: (error: unknown) => void;
  /** How many jobs are kept, ended ones included; 10,000 unless given. */
  readonly maxJobs?: number;
}

/** Which jobs to list. */
export interface JobFilter {
  /** In one of these states. Absent or empty: any. */
  readonly states?: readonly State[];
  /** Of this user. */
  readonly owner?: string;
  /** With all of these labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** At most 1,000; 100 unless given. */
  readonly pageSize?: number;
  /** From the page before. */
  readonly pageToken?: string;
}

/** A page of jobs, newest first. */
export interface JobPage {
  readonly jobs: readonly JobStatus[];
  /** Absent on the last page. */
  readonly nextPageToken?: string;
}

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
  readonly #budget: OutputBudget;
  readonly #store: Store | undefined;
  readonly #bootId: string = bootId();
  readonly #ready: Promise<void>;
  /** In order of registration, which is the order of their ids. */
  readonly #jobs = new Map<string, Job>();
  #directory: Promise<string> | undefined;
  #closed: Promise<void> | undefined;

  /**
   * @throws {DirectoryInUseError} when another process keeps its jobs in the directory
   * @throws {InvalidArgumentError} when a limit is out of range
   */
  constructor(options: SupervisorOptions = {}) {
    if (options.closeGraceMs !== undefined) checkGrace(options.closeGraceMs);
    if (options.outputLimit !== undefined) checkOutputLimit(options.outputLimit);
    this.#options = options;
    this.#budget = new OutputBudget(options.maxOutputBytes ?? Infinity);
    if (options.directory === undefined) this.#ready = Promise.resolve();
    else {
      Deno.mkdirSync(options.directory, { recursive: true, mode: 0o700 });
      this.#store = new Store(join(options.directory, "jobs.db"));
      this.#ready = this.#recover(this.#store, options.directory);
      // Each call says what went wrong; nobody need have called yet.
      this.#ready.catch(() => {});
    }
  }

  /**
   * Resolves when the jobs of an earlier life are taken up: what was left running of them is ended, their output is
   * mended. Every call waits for it; a server waits for it before it takes calls.
   */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Takes up what the store has. */
  async #recover(store: Store, directory: string): Promise<void> {
    const stored = store.all();
    const known = new Set(stored.map(({ spec }) => spec.id));
    const output = await this.#outputDirectory();
    const jobs = new Map<string, Job>();
    await Promise.all(stored.map(async (job) => {
      const { id } = job.spec;
      if (job.status.state === "INITIAL") jobs.set(id, this.#makeJob(job.spec, output));
      else jobs.set(id, await this.#takeUp(store, job, output));
    }));
    for (const { spec } of stored) this.#jobs.set(spec.id, jobs.get(spec.id) as Job);
    // A crash between forgetting a job and deleting its output left this.
    for await (const { name } of Deno.readDir(join(directory, "output"))) {
      if (!known.has(name)) await Deno.remove(join(directory, "output", name), { recursive: true });
    }
  }

  /** A job that was started in an earlier life: ended then, or lost with the server. */
  async #takeUp(store: Store, { spec, status, process, output }: StoredJob, directory: string): Promise<Job> {
    const options = this.#logOptions(spec, directory);
    let final = status;
    let log: OutputLog;
    if (isFinalState(status.state) && output !== undefined) {
      log = await OutputLog.restore(spec.id, options, output.end, output.totals);
    } else {
      await endOrphans(spec.id, process, this.#bootId);
      log = await this.#recoverOutput(spec.id, options);
      if (!isFinalState(status.state)) final = lostStatus(status);
      store.change(spec.id, final, { output: { end: log.end, totals: log.totals() } });
    }
    // Its process was another life's; this one stands for it and is never started.
    return Job.restore(new Process("ended"), spec, log, final);
  }

  /** Output that cannot be taken up is one job's loss: the others must not be without a server for it. */
  async #recoverOutput(id: string, options: OutputLogOptions): Promise<OutputLog> {
    try {
      return await OutputLog.recover(id, options);
    } catch (error) {
      this.#options.onError?.(error);
      const none = new Uint8Array();
      const totals = { stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0, stdoutSha256: none, stderrSha256: none };
      return await OutputLog.restore(id, options, LOG_START, totals);
    }
  }

  #logOptions(spec: JobSpec, directory: string): OutputLogOptions {
    return {
      directory: join(directory, spec.id),
      budget: this.#budget,
      ...(spec.outputLimit === undefined ? {} : { limit: spec.outputLimit }),
    };
  }

  #makeJob(spec: JobSpec, directory: string): Job {
    const log = new OutputLog(spec.id, this.#logOptions(spec, directory));
    const process = new Process(spec.command, spec.args, {
      ...spec,
      env: { ...this.#options.env, ...spec.env },
      output: log,
    });
    return new Job(process, spec, log, this.#recorderOf(spec.id));
  }

  /** Writes a job's changes down. What cannot be is told to whoever reads the log; the job goes on. */
  #recorderOf(id: string): JobRecorder | undefined {
    const store = this.#store;
    return store && {
      record: (process, status, log) => {
        try {
          const leader = "pid" in status ? status.pid : undefined;
          const { startTime } = process;
          store.change(id, status, {
            process: {
              bootId: this.#bootId,
              ...(leader === undefined ? {} : { leader }),
              ...(startTime === undefined ? {} : { startTime }),
            },
            ...(isFinalState(status.state) ? { output: { end: log.end, totals: log.totals() } } : {}),
          });
        } catch (error) {
          if (status.state === "STARTING") throw new NotRecordedError({ cause: error });
          this.#options.onError?.(error);
        }
      },
    };
  }

  /**
   * Serves until the signal aborts, then stops all jobs and closes. A supervisor works without it too; `await using`
   * closes it then.
   */
  async run(options: { readonly signal: AbortSignal }): Promise<void> {
    await this.#ready;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    options.signal.addEventListener("abort", wake, { once: true });
    if (options.signal.aborted) resolve();
    await promise;
    await this.close();
  }

  /**
   * Adds a job and returns its id; nothing runs yet.
   *
   * @param command a path, or a name looked up in the job's PATH; never passed through a shell
   * @throws {InvalidArgumentError} for an empty command, a NUL byte, a relative directory, too long arguments
   * @throws {LimitReachedError} when there are too many jobs
   * @throws {SupervisorClosedError} when the supervisor is shutting down
   */
  async add(command: string, args: readonly string[] = [], options: JobOptions = {}): Promise<string> {
    await this.#ready;
    this.#mustBeOpen();
    checkJob(command, args, options);
    const directory = await this.#outputDirectory();
    this.#mustBeOpen();
    // Nothing is waited for between here and the end, or calls made at once would all find room.
    const maxJobs = this.#options.maxJobs ?? DEFAULT_MAX_JOBS;
    if (this.#jobs.size >= maxJobs) {
      throw new LimitReachedError(`Cannot keep more than "${maxJobs}" jobs: remove ended ones first`);
    }
    const outputLimit = options.outputLimit ?? this.#options.outputLimit;
    const spec: JobSpec = {
      ...structuredClone(options),
      id: newJobId(),
      command,
      args: [...args],
      cwd: options.cwd ?? this.#options.cwd ?? "/",
      ...(outputLimit === undefined ? {} : { outputLimit }),
      registeredAt: new Date(),
    };
    const job = this.#makeJob(spec, directory);
    try {
      this.#store?.add(spec);
    } catch (error) {
      this.#options.onError?.(error);
      throw new NotRecordedError({ cause: error });
    }
    this.#jobs.set(spec.id, job);
    return spec.id;
  }

  /**
   * Starts a job and returns its status then: running, or failed to start. A job that runs already is left to run; one
   * that has ended keeps its final status.
   *
   * @throws {JobNotFoundError} when there is no such job
   * @throws {SupervisorClosedError} when the supervisor is shutting down
   */
  async start(id: string): Promise<JobStatus> {
    await this.#ready;
    const job = this.#get(id);
    if (job.isInitialState) {
      this.#mustBeOpen();
      void job.start();
    }
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
    if (options.graceMs !== undefined) checkGrace(options.graceMs);
    await this.#ready;
    return await this.#get(id).stop(options);
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
    return await this.#get(id).signal(signal, options.by);
  }

  /**
   * Returns the status of a job now.
   *
   * @throws {JobNotFoundError} when there is no such job
   */
  async status(id: string): Promise<JobStatus> {
    await this.#ready;
    return this.#get(id).status;
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
    const { signal } = options;
    const job = this.#jobs.get(id);
    if (job !== undefined) return job.watchStatus(signal, options);
    return watch(signal, (combined) => this.#later(id, (job) => job.watchStatus(combined, options)));
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
  ): Watch<OutputPiece, OutputEnd> {
    const { signal } = options;
    const job = this.#jobs.get(id);
    if (job !== undefined) return job.watchOutput(options, signal);
    return watch(signal, (combined) => this.#later(id, (job) => job.watchOutput(options, combined)));
  }

  /** A watch of a job that is not there, or not yet: those of an earlier life may still be being taken up. */
  async *#later<Item, Final>(
    id: string,
    watchJob: (job: Job) => Watch<Item, Final>,
  ): AsyncGenerator<Item, Final, void> {
    await this.#ready;
    await using found = watchJob(this.#get(id));
    while (true) {
      const { done, value } = await found.next();
      if (done) return value;
      yield value;
    }
  }

  /**
   * Lists jobs, newest first, page by page.
   *
   * @throws {InvalidArgumentError} when the page size is out of range
   */
  async list(filter: JobFilter = {}): Promise<JobPage> {
    await this.#ready;
    const size = filter.pageSize ?? DEFAULT_PAGE_SIZE;
    if (!Number.isSafeInteger(size) || size < 1 || size > MAX_PAGE_SIZE) {
      throw new InvalidArgumentError(`Invalid page size "${size}": give a number from 1 to ${MAX_PAGE_SIZE}`);
    }
    const before = filter.pageToken;
    if (before !== undefined && !/^[0-9a-f-]{36}$/.test(before)) {
      throw new InvalidArgumentError(
        `Invalid page token ${JSON.stringify(before.slice(0, 100))}: give the one that came with the page before`,
      );
    }
    const labels = Object.entries(filter.labels ?? {});
    const jobs: JobStatus[] = [];
    let chars = 0;
    for (const job of [...this.#jobs.values()].reverse()) {
      if (before !== undefined && job.id >= before) continue;
      const status = job.status;
      if (filter.owner !== undefined && status.owner !== filter.owner) continue;
      if (filter.states?.length && !filter.states.includes(status.state)) continue;
      if (labels.some(([key, value]) => status.labels[key] !== value)) continue;
      const last = jobs.at(-1);
      chars += sizeOf(status);
      if (last !== undefined && (jobs.length === size || chars > MAX_PAGE_CHARS)) {
        return { jobs, nextPageToken: last.id };
      }
      jobs.push(status);
    }
    return { jobs };
  }

  /**
   * Forgets a job that has ended or was never started, and its output.
   *
   * @throws {JobNotFoundError} when there is no such job
   * @throws {JobRunningError} when it is running
   */
  async remove(id: string): Promise<void> {
    await this.#ready;
    const job = this.#get(id);
    if (job.isRunningState) throw new JobRunningError(id, job.status.state);
    // Forgotten first: a crash now leaves output without a job, which the next start deletes.
    this.#store?.remove(id);
    this.#jobs.delete(id);
    await job.remove();
  }

  /** How many jobs are kept, how many of them run, and how many watchers they have. */
  // deno-lint-ignore require-await -- asynchronous by contract, like every call
  async counts(): Promise<{ readonly jobs: number; readonly running: number; readonly watchers: number }> {
    let running = 0;
    let watchers = 0;
    for (const job of this.#jobs.values()) {
      if (job.isRunningState) running += 1;
      watchers += job.watchers;
    }
    return { jobs: this.#jobs.size, running, watchers };
  }

  /**
   * Stops all running jobs (reason `SHUTDOWN`) and takes no new ones. Resolves when all have ended; a second close joins
   * the first.
   *
   * @param options.graceMs shortens the grace period of every job, also when already closing
   * @throws {InvalidArgumentError} when the grace period is out of range
   */
  async close(options: { readonly graceMs?: number } = {}): Promise<void> {
    if (options.graceMs !== undefined) checkGrace(options.graceMs);
    const graceMs = options.graceMs ?? this.#options.closeGraceMs;
    const stopped = [...this.#jobs.values()].filter((job) => job.isRunningState).map((job) =>
      job.stop({ reason: "SHUTDOWN", ...(graceMs === undefined ? {} : { graceMs }) })
    );
    this.#closed ??= this.#close(stopped);
    await this.#closed;
  }

  async #close(stopped: readonly Promise<JobStatus>[]): Promise<void> {
    await this.#ready.catch(() => {}); // Told to those who called.
    for (const job of this.#jobs.values()) if (job.isInitialState) job.abandon(new SupervisorClosedError());
    await Promise.all(stopped);
    this.#store?.[Symbol.dispose]();
    const directory = await this.#directory?.catch(() => undefined); // It could not be made: nothing to remove.
    if (this.#options.directory === undefined && directory !== undefined) {
      await Deno.remove(directory, { recursive: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw new SupervisorClosedError();
  }

  #get(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new JobNotFoundError(id);
    return job;
  }

  #outputDirectory(): Promise<string> {
    this.#directory ??= this.#makeDirectory();
    return this.#directory;
  }

  async #makeDirectory(): Promise<string> {
    if (this.#options.directory === undefined) return await Deno.makeTempDir({ prefix: "teleport-" });
    const directory = join(this.#options.directory, "output");
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    return directory;
  }
}

/** Characters that the job's own words take: what a list is bounded by. */
function sizeOf({ command, args, labels }: JobStatus): number {
  return [command, ...args, ...Object.entries(labels).flat()].reduce((sum, word) => sum + word.length, 0);
}
