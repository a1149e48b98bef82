/** Keeps all jobs: registers, starts, stops, signals, lists and forgets them, and lets any number of watchers watch. */
import { join } from "node:path";
import { checkGrace } from "./command.ts";
import {
  InvalidArgumentError,
  JobNotFoundError,
  JobRunningError,
  LimitReachedError,
  SupervisorClosedError,
} from "./errors.ts";
import { checkJob, Job, type JobOptions, type JobSpec, type JobStatus, type OutputEnd } from "./job.ts";
import { newJobId } from "./job_id.ts";
import { checkOutputLimit, OutputBudget, type OutputLimit } from "./output_limit.ts";
import { OutputLog } from "./output_log.ts";
import type { OutputPiece } from "./output_piece.ts";
import type { OutputSelection } from "./output_watch.ts";
import { Process, type StopOptions } from "./process.ts";
import type { State } from "./state.ts";
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
  /** Where output is recorded. Absent: a temporary directory, removed when the supervisor closes. */
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
  /** In order of registration, which is the order of their ids. */
  readonly #jobs = new Map<string, Job>();
  #directory: Promise<string> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: SupervisorOptions = {}) {
    if (options.closeGraceMs !== undefined) checkGrace(options.closeGraceMs);
    if (options.outputLimit !== undefined) checkOutputLimit(options.outputLimit);
    this.#options = options;
    this.#budget = new OutputBudget(options.maxOutputBytes ?? Infinity);
  }

  /**
   * Serves until the signal aborts, then stops all jobs and closes. A supervisor works without it too; `await using`
   * closes it then.
   */
  async run(options: { readonly signal: AbortSignal }): Promise<void> {
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
    this.#mustBeOpen();
    checkJob(command, args, options);
    const maxJobs = this.#options.maxJobs ?? DEFAULT_MAX_JOBS;
    if (this.#jobs.size >= maxJobs) {
      throw new LimitReachedError(`Cannot keep more than "${maxJobs}" jobs: remove ended ones first`);
    }
    const directory = await this.#outputDirectory();
    this.#mustBeOpen();
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
    const log = new OutputLog(spec.id, {
      directory: join(directory, spec.id),
      budget: this.#budget,
      ...(spec.outputLimit === undefined ? {} : { limit: spec.outputLimit }),
    });
    const process = new Process(command, args, {
      ...spec,
      env: { ...this.#options.env, ...spec.env },
      output: log,
    });
    this.#jobs.set(spec.id, new Job(process, spec, log));
    return spec.id;
  }

  /**
   * Starts a job and returns its status then: running, or failed to start. A job that runs already is left to run; one
   * that has ended keeps its final status.
   *
   * @throws {JobNotFoundError} when there is no such job
   * @throws {SupervisorClosedError} when the supervisor is shutting down
   */
  // deno-lint-ignore require-await -- asynchronous by contract, like every call
  async start(id: string): Promise<JobStatus> {
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
    return await this.#get(id).signal(signal, options.by);
  }

  /**
   * Returns the status of a job now.
   *
   * @throws {JobNotFoundError} when there is no such job
   */
  // deno-lint-ignore require-await -- asynchronous by contract, like every call
  async status(id: string): Promise<JobStatus> {
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
    const job = this.#jobs.get(id);
    return job?.watchStatus(options.signal, options) ?? failingWatch(new JobNotFoundError(id));
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
    const job = this.#jobs.get(id);
    return job?.watchOutput(options, options.signal) ?? failingWatch(new JobNotFoundError(id));
  }

  /**
   * Lists jobs, newest first, page by page.
   *
   * @throws {InvalidArgumentError} when the page size is out of range
   */
  // deno-lint-ignore require-await -- asynchronous by contract, like every call
  async list(filter: JobFilter = {}): Promise<JobPage> {
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
      if (filter.owner !== undefined && job.owner !== filter.owner) continue;
      const status = job.status;
      if (filter.states?.length && !filter.states.includes(status.state)) continue;
      if (labels.some(([key, value]) => status.labels[key] !== value)) continue;
      const last = jobs.at(-1);
      chars += job.size;
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
    const job = this.#get(id);
    if (job.isRunningState) throw new JobRunningError(id, job.status.state);
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
   */
  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    const graceMs = options.graceMs ?? this.#options.closeGraceMs;
    const stopped = [...this.#jobs.values()].filter((job) => job.isRunningState).map((job) =>
      job.stop({ reason: "SHUTDOWN", ...(graceMs === undefined ? {} : { graceMs }) })
    );
    this.#closed ??= this.#close(stopped);
    return this.#closed;
  }

  async #close(stopped: readonly Promise<JobStatus>[]): Promise<void> {
    for (const job of this.#jobs.values()) if (job.isInitialState) job.abandon(new SupervisorClosedError());
    await Promise.all(stopped);
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

/** A watch of something that is not there: its first `next()` says so. */
function failingWatch<Item, Final>(error: Error): Watch<Item, Final> {
  // deno-lint-ignore require-yield -- it has nothing to yield
  return watch<Item, Final>(undefined, async function* () {
    throw error;
  });
}
