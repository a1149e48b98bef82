/** The registry: all jobs that are stored, and those of them that are objects now. It finds, adds and removes jobs. */
import { join } from "node:path";
import { JobNotFoundError, LimitReachedError, SupervisorClosedError } from "../errors.ts";
import type { AnyJob } from "../job/any_job.ts";
import { type JobSpec, type JobStatus, jobStatus, NO_OUTPUT } from "../job/spec.ts";
import { OutputBudget } from "../output/limit.ts";
import { bootId } from "../linux/boot_id.ts";
import { recoverJobs } from "./recovery.ts";
import { Retention } from "./retention.ts";
import { isFinalState } from "../process/state.ts";
import { Store } from "../store/store.ts";
import { encodeSpec } from "../store/json.ts";
import type { StoredJob } from "../store/rows.ts";
import { JobEvents } from "./job_events.ts";
import { JobFactory } from "./job_factory.ts";
import { callback } from "./callback.ts";
import { diskLimit } from "./disk_limit.ts";
import { JobRemoval } from "./job_removal.ts";
import { LiveJobs } from "./live_jobs.ts";
import { DEFAULT_MAX_JOBS, type SupervisorOptions } from "./options.ts";
import { JobCounters } from "./statistics.ts";
import { OutputStore } from "./output_store.ts";
import { notRecorded, PendingWrites } from "./pending_writes.ts";
import { PageTokenCodec } from "./page_token.ts";
import { checkDatabaseThere } from "./lost_database.ts";
import { defined } from "../../base/defined.ts";

/** The jobs of a supervisor. */
export class JobRegistry {
  readonly store: Store;
  readonly pageTokens: PageTokenCodec;
  readonly liveJobs = new LiveJobs();
  readonly events: JobEvents;
  readonly counters = new JobCounters();
  readonly #options: SupervisorOptions;
  readonly #onError: (error: unknown) => void;
  readonly #bootId = bootId();
  readonly #budget: OutputBudget;
  readonly #pendingWrites: PendingWrites;
  readonly #retention: Retention;
  readonly #output: OutputStore;
  readonly #factory: JobFactory;
  readonly #removal: JobRemoval;
  #isClosed = false;

  /**
   * @throws {DirectoryInUseError} when another process uses the directory
   * @throws {StoreUnusableError} when the database in the directory cannot be used
   */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { directory, cgroups } = options;
    if (directory !== undefined) checkDatabaseThere(directory);
    const onError = this.#onError = callback(options.onError);
    const onWarning = callback(options.onWarning);
    this.store = new Store(directory === undefined ? ":memory:" : join(directory, "jobs.db"), {
      bootId: this.#bootId,
      onWarning,
      isClockTrusted: () => this.#retention.isClockTrusted,
      onWrite: callback(options.onStoreWrite),
    });
    const { store, liveJobs } = this;
    this.#output = new OutputStore({ ...defined({ directory }), onDeleted: (id) => store.endRemoval(id), onError });
    this.pageTokens = new PageTokenCodec(store.secret);
    this.events = new JobEvents(store, liveJobs, this.pageTokens);
    this.#retention = new Retention({
      maxAgeMs: options.maxAgeMs ?? Infinity,
      ended: (after, limit) => store.endedJobs(after, limit),
      isWatched: (id) => (liveJobs.get(id)?.watchers ?? 0) > 0 || this.events.isWatched(id),
      remove: (id) => this.#removal.removeInBackground(id),
      ...defined({ lastSeenMs: store.lastSeenMs }),
      onHold: onWarning,
    });
    const { bytesAtOpen } = store;
    this.#budget = new OutputBudget(diskLimit(options, bytesAtOpen), (bytes) => this.#retention.freeBytes(bytes));
    this.#budget.addExisting(bytesAtOpen);
    this.#pendingWrites = new PendingWrites({
      store,
      liveJobs,
      bootId: this.#bootId,
      ...defined({ cgroups }),
      onWritten: (_, status, details) => {
        this.counters.count(status, details);
        this.events.wake();
        if (isFinalState(status.state)) this.#retention.removeExpired();
      },
      onError,
    });
    this.#factory = new JobFactory({
      supervisor: options,
      budget: this.#budget,
      logOptions: (spec) => this.#output.logOptions(spec),
      recorderOf: (id) => this.#pendingWrites.recorderOf(id),
      onError,
    });
    this.#removal = new JobRemoval({
      store,
      liveJobs,
      pendingWrites: this.#pendingWrites,
      output: this.#output,
      budget: this.#budget,
      stateOf: (id) => this.status(id).state,
      onRemoved: () => this.events.wake(),
      onError,
    });
  }

  /** The bytes that jobs and their output use on the disk, and their limit. */
  get disk(): { readonly diskBytes: number; readonly maxDiskBytes: number } {
    return { diskBytes: this.#budget.usedBytes, maxDiskBytes: this.#budget.maxBytes };
  }

  /** Recovers from the previous server: ends survivors of its jobs, and deletes the output of removed jobs. */
  async recover(): Promise<void> {
    if (this.#options.directory === undefined) return await this.#options.cgroups?.clean();
    await this.#output.open();
    for (const id of this.store.unfinishedRemovals()) void this.#output.delete(id);
    await recoverJobs({
      store: this.store,
      bootId: this.#bootId,
      budget: this.#budget,
      logOptions: (spec) => this.#output.logOptions(spec),
      onError: this.#onError,
    });
    await this.#options.cgroups?.clean();
    // The limits may be lower than those of the previous server.
    this.#retention.removeOldest(this.store.count - this.#maxJobs);
    if (this.#budget.usedBytes > this.#budget.maxBytes) {
      this.#retention.freeBytes(this.#budget.usedBytes - this.#budget.maxBytes);
    }
    this.#retention.removeExpired();
  }

  get #maxJobs(): number {
    return this.#options.maxJobs ?? DEFAULT_MAX_JOBS;
  }

  /**
   * Adds a job.
   *
   * @param digest the digest of the request, when the spec has a request id
   * @throws {LimitReachedError} when no job can be removed to make room for this one
   * @throws {NotRecordedError} when the job cannot be written
   */
  add(spec: JobSpec, digest: string | undefined): void {
    const excess = this.store.count + 1 - this.#maxJobs;
    if (excess > 0 && this.#retention.removeOldest(excess) === 0) {
      throw new LimitReachedError(
        `Cannot keep more than ${this.#maxJobs} jobs, and no ended job can be removed: remove some jobs first`,
      );
    }
    const text = encodeSpec(spec);
    if (!this.#budget.reserve(text.length)) {
      throw new LimitReachedError(
        `Cannot keep more than ${this.#budget.maxBytes} bytes of jobs and output: remove some jobs first`,
      );
    }
    try {
      this.#output.ensure();
      this.store.add(spec, text, digest);
    } catch (error) {
      this.#budget.release(text.length);
      throw notRecorded(error, this.#onError);
    }
    // Most jobs start right after they are added, so the object is made now and the row is not read again.
    this.liveJobs.add(this.#factory.make({ spec, status: { state: "INITIAL" } }));
    this.#pendingWrites.flush();
    this.events.wake();
  }

  /**
   * Returns a job as an object.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {SupervisorClosedError} when the store is closed
   */
  job(id: string): AnyJob {
    this.assertReadable();
    const live = this.liveJobs.get(id);
    if (live !== undefined) return live;
    const job = this.#factory.make(this.stored(id));
    this.liveJobs.add(job);
    return job;
  }

  /**
   * Returns the status of a job now.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {SupervisorClosedError} when the store is closed
   */
  status(id: string): JobStatus {
    this.assertReadable();
    return this.liveJobs.get(id)?.status ?? this.statusOf(this.stored(id));
  }

  /** Returns the status of a stored job now. While the disk is full, the live job is newer than the row. */
  statusOf(job: StoredJob): JobStatus {
    return this.liveJobs.get(job.spec.id)?.status ?? jobStatus(job.spec, job.status, job.output?.totals ?? NO_OUTPUT);
  }

  /**
   * Returns the row of a job.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {SupervisorClosedError} when the store is closed
   */
  stored(id: string): StoredJob {
    this.assertReadable();
    const job = this.store.get(id);
    if (job === undefined) throw new JobNotFoundError(id);
    return job;
  }

  /** @throws {SupervisorClosedError} when the store is closed; a store in memory can always be read */
  assertReadable(): void {
    if (this.#isClosed && this.#options.directory !== undefined) throw new SupervisorClosedError();
  }

  /**
   * Removes a job that does not run. Resolves when its output is deleted.
   *
   * @throws {JobNotFoundError} when the job does not exist
   * @throws {NotRecordedError} when the removal cannot be written
   */
  async remove(id: string): Promise<void> {
    await this.#removal.remove(id);
  }

  /** Ends the watchers of many jobs after the last change. No change may follow. */
  end(): void {
    this.#pendingWrites.flush();
    this.events.end(new SupervisorClosedError());
  }

  /** Stores the pending changes and closes the store. Another process may use the directory afterwards. */
  async close(): Promise<void> {
    this.end();
    this.#retention.close();
    this.#pendingWrites.close();
    await this.#output.waitForDeletions();
    this.#isClosed = true;
    if (this.#options.directory !== undefined) {
      if (this.#retention.isClockTrusted) this.store.noteTime();
      this.store[Symbol.dispose]();
    }
    await this.#output.close();
  }
}
