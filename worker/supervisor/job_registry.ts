/**
 * All jobs on record, and those of them that are objects now: taken up from an earlier life, added, found, forgotten.
 * Every rule of what is written when, and deleted when, is here or in the files it brings together.
 */
import type { CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { statfsSync } from "node:fs";
import { join } from "node:path";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { controllersOf, LIMITED } from "../cgroup/limits.ts";
import { DEFAULT_CWD } from "../launch/command.ts";
import { JobNotFoundError, LimitReachedError, NotEnforceableError, SupervisorClosedError } from "../errors.ts";
import { NotRecordedError, RecordDamagedError } from "../storage_errors.ts";
import type { AnyJob } from "../job/any_job.ts";
import { EndedJob } from "../job/ended_job.ts";
import { Job } from "../job/job.ts";
import { type JobSpec, type JobStatus, jobStatus, NO_OUTPUT } from "../job/spec.ts";
import { OutputBudget } from "../output/limit.ts";
import { OutputLog } from "../output/log.ts";
import { restoreLog, unavailableLog } from "../output/restore.ts";
import { Process } from "../process/process.ts";
import { bootId, recoverJobs } from "./recovery.ts";
import { Retention } from "./retention.ts";
import { isFinalState, isRunningState } from "../process/state.ts";
import { Store } from "../store/store.ts";
import { encodeSpec } from "../store/json.ts";
import type { StoredJob } from "../store/rows.ts";
import { JobEvents } from "./job_events.ts";
import { LiveJobs } from "./live_jobs.ts";
import { processOptions, withLimits } from "./admission.ts";
import { DEFAULT_MAX_JOBS, type SupervisorOptions } from "./options.ts";
import { JobCounters } from "./statistics.ts";
import { OutputFiles } from "./output_store.ts";
import { PendingWrites } from "./pending_writes.ts";
import { PageTokenCodec } from "./page_token.ts";
import { checkDatabaseThere } from "./lost_database.ts";
import { defined } from "../../base/defined.ts";

/** The jobs of a supervisor. */
export class JobRegistry {
  readonly store: Store;
  readonly sealer: PageTokenCodec;
  /** Those that are objects now. */
  readonly jobs = new LiveJobs();
  readonly events: JobEvents;
  readonly counters = new JobCounters();
  readonly #options: SupervisorOptions;
  readonly #bootId = bootId();
  readonly #budget: OutputBudget;
  readonly #records: PendingWrites;
  readonly #retention: Retention;
  readonly #output: OutputFiles;
  #count: number;
  #closed = false;

  /**
   * @throws {DirectoryInUseError} when another process keeps its jobs in the directory
   * @throws {StoreUnusableError} when the directory's database cannot be used
   * @throws {NotEnforceableError} when no job can be held to the default or greatest limits here
   */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    // What no job could be held to is told now, and not to each of them.
    this.checkLimits({ ...withLimits({}, options), cwd: options.cwd ?? DEFAULT_CWD });
    const { directory } = options;
    if (directory !== undefined) checkDatabaseThere(directory);
    this.store = new Store(directory === undefined ? ":memory:" : join(directory, "jobs.db"), {
      bootId: this.#bootId,
      onWarning: (sentence) => this.#warn(sentence),
      isClockBelieved: () => this.#retention.isClockBelieved,
      ...defined({ onWrite: options.onStoreWrite }),
    });
    this.#output = new OutputFiles({
      ...defined({ directory }),
      onDeleted: (id) => this.store.deleted(id),
      onError: (error) => this.#tell(error),
    });
    this.sealer = new PageTokenCodec(this.store.secret);
    this.events = new JobEvents(this.store, this.jobs, this.sealer);
    const { lastSeenMs } = this.store;
    this.#retention = new Retention({
      maxAgeMs: options.maxAgeMs ?? Infinity,
      ended: (after, limit) => this.store.ended(after, limit),
      isWatched: (id) => (this.jobs.get(id)?.watchers ?? 0) > 0 || this.events.isAwaited(id),
      forget: (id) => this.#forgetUnasked(id),
      ...defined({ lastSeenMs }),
      onHeld: (sentence) => this.#warn(sentence),
    });
    const { jobs, bytes } = this.store.totals();
    this.#count = jobs;
    this.#budget = new OutputBudget(maxBytes(options, bytes), (short) => this.#retention.freeBytes(short));
    this.#budget.addExisting(bytes);
    this.#records = new PendingWrites({
      store: this.store,
      jobs: this.jobs,
      bootId: this.#bootId,
      ...defined({ cgroups: options.cgroups }),
      onRecorded: (_, status, known) => {
        this.counters.count(status, known);
        this.events.wake();
        if (isFinalState(status.state)) this.#retention.expire();
      },
      onError: (error) => this.#tell(error),
    });
  }

  /** Bytes that jobs and their output take on the disk, and the most that they may take. */
  get disk(): { readonly diskBytes: number; readonly maxDiskBytes: number } {
    return { diskBytes: this.#budget.usedBytes, maxDiskBytes: this.#budget.maxBytes };
  }

  /** How many jobs are kept. */
  get count(): number {
    return this.#count;
  }

  #tell(error: unknown): void {
    try {
      this.#options.onError?.(error);
    } catch {
      // A report that fails must not stop the work that it reports on.
    }
  }

  #warn(sentence: string): void {
    try {
      this.#options.onWarning?.(sentence);
    } catch {
      // As for errors.
    }
  }

  /** Takes up what an earlier life left: jobs that ran are lost, output of forgotten jobs is deleted. */
  async recover(): Promise<void> {
    if (this.#options.directory === undefined) return await this.#options.cgroups?.clean();
    await this.#output.open();
    for (const id of this.store.removals()) void this.#output.delete(id);
    await recoverJobs({
      store: this.store,
      bootId: this.#bootId,
      budget: this.#budget,
      logOptions: (spec) => this.#output.logOptions(spec),
      onError: (error) => this.#tell(error),
    });
    await this.#options.cgroups?.clean();
    // Bounds may be tighter than in the earlier life.
    this.#retention.makeRoom(this.#count - this.#maxJobs);
    if (this.#budget.usedBytes > this.#budget.maxBytes) {
      this.#retention.freeBytes(this.#budget.usedBytes - this.#budget.maxBytes);
    }
    this.#retention.expire();
  }

  get #maxJobs(): number {
    return this.#options.maxJobs ?? DEFAULT_MAX_JOBS;
  }

  /**
   * Adds a job.
   *
   * @param digest of the request that the spec's request id names
   * @throws {LimitReachedError} when there are too many jobs, or too much on the disk, of what cannot be forgotten
   * @throws {NotRecordedError} when it cannot be written down
   */
  add(spec: JobSpec, digest: string | undefined): void {
    if (this.#count >= this.#maxJobs && this.#retention.makeRoom(this.#count + 1 - this.#maxJobs) === 0) {
      throw new LimitReachedError(
        `Cannot keep more than "${this.#maxJobs}" jobs, and none that ended can be forgotten: remove some first`,
      );
    }
    const text = encodeSpec(spec);
    if (!this.#budget.reserve(text.length)) {
      throw new LimitReachedError(
        `Cannot keep more than "${this.#budget.maxBytes}" bytes of jobs and output: remove some jobs first`,
      );
    }
    try {
      this.#output.ensure();
      this.store.add(spec, text, digest);
    } catch (error) {
      this.#budget.release(text.length);
      throw this.#notRecorded(error);
    }
    this.#count += 1;
    // Most jobs are started at once: then it is still there, and need not be read back.
    this.jobs.add(this.#objectOf({ spec, status: { state: "INITIAL" } }));
    this.#records.flush();
    this.events.wake();
  }

  /**
   * The job with this id, as an object.
   *
   * @throws {JobNotFoundError} when there is none
   * @throws {SupervisorClosedError} when the record is closed
   */
  job(id: string): AnyJob {
    this.mustBeReadable();
    const known = this.jobs.get(id);
    if (known !== undefined) return known;
    const job = this.#objectOf(this.stored(id));
    this.jobs.add(job);
    return job;
  }

  /**
   * The status of a job now.
   *
   * @throws {JobNotFoundError} when there is none
   * @throws {SupervisorClosedError} when the record is closed
   */
  status(id: string): JobStatus {
    this.mustBeReadable();
    return this.jobs.get(id)?.status ?? this.statusOf(this.stored(id));
  }

  /** The status of a stored job now. Where there is an object, that knows more: the disk may have been full. */
  statusOf(job: StoredJob): JobStatus {
    return this.jobs.get(job.spec.id)?.status ?? jobStatus(job.spec, job.status, job.output?.totals ?? NO_OUTPUT);
  }

  /**
   * A job as it is on record.
   *
   * @throws {JobNotFoundError} when there is none
   * @throws {SupervisorClosedError} when the record is closed
   */
  stored(id: string): StoredJob {
    this.mustBeReadable();
    const job = this.store.get(id);
    if (job === undefined) throw new JobNotFoundError(id);
    return job;
  }

  /** @throws {SupervisorClosedError} when the record is closed */
  mustBeReadable(): void {
    // What is kept in memory can be read as long as anybody has it.
    if (this.#closed && this.#options.directory !== undefined) throw new SupervisorClosedError();
  }

  #objectOf({ spec, status, output }: Pick<StoredJob, "spec" | "status" | "output">): AnyJob {
    const options = this.#output.logOptions(spec);
    if (status.state === "INITIAL") {
      const log = new OutputLog(spec.id, { ...options, budget: this.#budget });
      const own = processOptions(spec, this.#options, this.#options.env);
      const cgroup = this.#cgroupOf(spec);
      return new Job(
        new Process(spec.command, spec.args, {
          ...spec,
          ...own,
          output: log,
          onError: (error) => this.#tell(error),
          ...defined({ cgroup }),
        }),
        spec,
        log,
        this.#records.of(spec.id),
      );
    }
    // A job that runs is an object already, so this one has ended.
    const log = output === undefined
      ? unavailableLog(spec.id, options)
      : restoreLog(spec.id, options, output.end, output.totals);
    return new EndedJob(spec, log, status);
  }

  /** What makes a job's cgroup. The limits were checked, but what the host can do may have changed since. */
  #cgroupOf({ id, cwd, cgroupLimits = {} }: JobSpec): (() => Cgroup) | undefined {
    const { cgroups } = this.#options;
    if (cgroups !== undefined) return () => cgroups.create(id, cgroupLimits, cwd ?? DEFAULT_CWD);
    return controllersOf(cgroupLimits).length === 0 ? undefined : () => noCgroup(cgroupLimits);
  }

  /**
   * Checks whether a job can be held to its limits here.
   *
   * @throws {NotEnforceableError} where not, with the reason
   */
  checkLimits({ cgroupLimits = {}, cwd = DEFAULT_CWD }: Pick<JobSpec, "cgroupLimits" | "cwd">): void {
    if (controllersOf(cgroupLimits).length === 0) return;
    if (this.#options.cgroups === undefined) noCgroup(cgroupLimits);
    else this.#options.cgroups.check(cgroupLimits, cwd);
  }

  /**
   * Forgets a job that does not run. Resolves when its output is deleted.
   *
   * @throws {JobNotFoundError} when there is none any more
   * @throws {NotRecordedError} when that cannot be written down
   */
  async forget(id: string): Promise<void> {
    try {
      return await this.#forget(id).deleted;
    } catch (error) {
      if (error instanceof JobNotFoundError) throw error;
      if (!isFinalState(this.status(id).state)) throw this.#notRecorded(error);
    }
    // On a full disk there is no room to write that it goes, unless its output goes first.
    try {
      await this.#output.deleteNow(id, this.jobs.get(id));
      await this.#forget(id).deleted;
    } catch (error) {
      throw error instanceof JobNotFoundError ? error : this.#notRecorded(error);
    }
  }

  #notRecorded(cause: unknown): NotRecordedError | RecordDamagedError {
    this.#tell(cause);
    return cause instanceof RecordDamagedError ? cause : new NotRecordedError({ cause });
  }

  /** For retention: in the background, and without a word where it fails but to the log. */
  #forgetUnasked(id: string): number | undefined {
    try {
      // The index of ends is not sealed, the status is.
      if (!isFinalState(this.stored(id).status.state)) throw new RecordDamagedError();
      return this.#forget(id).bytes;
    } catch (error) {
      this.#tell(error);
      return undefined;
    }
  }

  /** Forgotten first: a crash now leaves output without a job, which the next life deletes. */
  #forget(id: string): { readonly bytes: number; readonly deleted: Promise<void> } {
    this.#records.flush();
    const removed = this.store.remove(id);
    if (removed === undefined) throw new JobNotFoundError(id);
    const bytes = removed + this.#records.forget(id);
    this.#budget.release(bytes);
    this.#count -= 1;
    const job = this.jobs.get(id);
    this.jobs.remove(id);
    this.events.wake();
    return { bytes, deleted: this.#output.delete(id, job) };
  }

  /** Whether a job with this status may be forgotten. */
  static isForgettable({ state }: JobStatus): boolean {
    return !isRunningState(state);
  }

  /** Nothing more will happen: those who watch many jobs read what is there, and end. */
  end(): void {
    this.#records.flush();
    this.events.end(new SupervisorClosedError());
  }

  /** Writes what is still to be written, and gives the directory back. */
  async close(): Promise<void> {
    this.end();
    this.#retention.close();
    this.#records.close();
    await this.#output.settle();
    this.#closed = true;
    if (this.#options.directory !== undefined) {
      if (this.#retention.isClockBelieved) this.store.seen();
      this.store[Symbol.dispose]();
    }
    await this.#output.close();
  }
}

function noCgroup(limits: CgroupLimits): never {
  const what = controllersOf(limits).map((controller) => LIMITED[controller]).join(" and ");
  throw new NotEnforceableError(`Cannot limit ${what} on this server: it has no cgroups`);
}

function maxBytes({ maxOutputBytes, maxDiskShare, directory }: SupervisorOptions, usedBytes: number): number {
  if (maxOutputBytes !== undefined) return maxOutputBytes;
  if (maxDiskShare === undefined || directory === undefined) return Infinity;
  const { bavail, bsize } = statfsSync(directory);
  return Math.floor(maxDiskShare * (usedBytes + bavail * bsize));
}
