/** The registry: all jobs that are stored, and those of them that are objects now. It finds, adds and removes jobs. */
import { JobNotFoundError, LimitReachedError, SupervisorClosedError } from "../errors.ts";
import type { AnyJob } from "../job/any_job.ts";
import { type JobSpec, type JobStatus, jobStatus, NO_OUTPUT } from "../job/spec.ts";
import { callback } from "./callback.ts";
import { recoverJobs } from "./recovery.ts";
import type { Store } from "../store/store.ts";
import { encodeSpec } from "../store/json.ts";
import { endedPlacement, type StoredJob } from "../store/rows.ts";
import type { HostedJobs } from "./hosted_jobs.ts";
import type { JobEvents } from "./job_events.ts";
import type { LiveJobs } from "./live_jobs.ts";
import { DEFAULT_MAX_JOBS, type SupervisorOptions } from "./options.ts";
import type { PageTokenCodec } from "./page_token.ts";
import { notRecorded } from "./pending_writes.ts";
import { makeRegistryParts, type RegistryParts } from "./registry_parts.ts";
import type { JobCounters } from "./statistics.ts";
import { StoreUnusableError } from "../storage_errors.ts";
import { isPlaced } from "./placed_jobs.ts";

/** The jobs of a supervisor. */
export class JobRegistry {
  readonly store: Store;
  readonly pageTokens: PageTokenCodec;
  readonly liveJobs: LiveJobs;
  readonly events: JobEvents;
  readonly counters: JobCounters;
  /** The jobs that job hosts run. Undefined when this supervisor runs the jobs. */
  readonly hosted: HostedJobs | undefined;
  readonly #options: SupervisorOptions;
  readonly #parts: RegistryParts;
  #isClosed = false;

  /**
   * @throws {DirectoryInUseError} when another process uses the directory
   * @throws {StoreUnusableError} when the database in the directory cannot be used
   */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#parts = makeRegistryParts(options);
    ({
      store: this.store,
      pageTokens: this.pageTokens,
      liveJobs: this.liveJobs,
      events: this.events,
      counters: this.counters,
      hosted: this.hosted,
    } = this.#parts);
  }

  /** The bytes that jobs and their output use on the disk, and their limit. */
  get disk(): { readonly diskBytes: number; readonly maxDiskBytes: number } {
    const { usedBytes, maxBytes } = this.#parts.budget;
    return { diskBytes: usedBytes + (this.hosted?.runningBytes ?? 0), maxDiskBytes: maxBytes };
  }

  /** Recovers from the previous server: ends survivors of its jobs, and deletes the output of removed jobs. */
  async recover(): Promise<void> {
    if (this.#options.directory === undefined) return await this.#options.cgroups?.clean();
    await this.#parts.output.open();
    this.#checkEngine();
    for (const id of this.store.unfinishedRemovals()) void this.#parts.output.delete(id);
    if (this.hosted === undefined) await this.#recoverHere();
    else await this.hosted.recover();
    await this.#parts.placed?.recover();
    // The limits may be lower than those of the previous server.
    this.#parts.retention.removeOldest(this.store.count - this.#maxJobs);
    if (this.#parts.budget.usedBytes > this.#parts.budget.maxBytes) {
      this.#parts.retention.freeBytes(this.#parts.budget.usedBytes - this.#parts.budget.maxBytes);
    }
    this.#parts.retention.removeExpired();
  }

  /**
   * Checks that the engine of all placed jobs is there. Without it their ends would never be known.
   *
   * @throws {StoreUnusableError} when a job runs on another engine
   */
  #checkEngine(): void {
    const { placing } = this.#options;
    const other = this.store.unfinishedJobs().find((job) =>
      isPlaced(job) && job.process?.placement?.engine !== placing?.engine.name
    );
    if (other === undefined) return;
    const { engine } = other.process?.placement ?? {};
    throw new StoreUnusableError(
      `has job "${other.spec.id}", which runs on engine ${engine}: start the server with --engine ${engine}`,
    );
  }

  /** Recovers the jobs of the previous server without a job host. The job hosts of that server are dead now. */
  async #recoverHere(): Promise<void> {
    const { store, budget, recoverHere: recover, onError } = this.#parts;
    const onWarning = callback(this.#options.onWarning);
    const neverStarted = await recoverJobs(store.unfinishedJobs(), { store, budget, recover, onWarning, onError });
    await this.#options.cgroups?.clean();
    for (const { spec: { id }, status } of neverStarted) {
      store.change(id, { state: "INITIAL" });
      void this.job(id).begin(status.requestedBy?.startedBy).catch(onError);
    }
  }

  /** Notes that somebody watches jobs from now on, so that a job host that hangs is noticed. */
  attend(): void {
    this.#parts.attention?.attend();
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
    if (excess > 0 && this.#parts.retention.removeOldest(excess) === 0) {
      throw new LimitReachedError(
        `Cannot keep more than ${this.#maxJobs} jobs, and no ended job can be removed: remove some jobs first`,
      );
    }
    const text = encodeSpec(spec);
    if (!this.#parts.budget.reserve(text.length)) {
      throw new LimitReachedError(
        `Cannot keep more than ${this.#parts.budget.maxBytes} bytes of jobs and output: remove some jobs first`,
      );
    }
    try {
      this.#parts.output.ensure();
      this.store.add(spec, text, digest);
    } catch (error) {
      this.#parts.budget.release(text.length);
      throw notRecorded(error, this.#parts.onError);
    }
    // Most jobs start right after they are added, so the object is made now and the row is not read again.
    this.liveJobs.add(this.#parts.factory.make({ spec, status: { state: "INITIAL" } }));
    this.#parts.pendingWrites.flush();
    this.events.wake();
    this.hosted?.diskChanged();
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
    const job = this.#parts.factory.make(this.stored(id));
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
    const { spec, status, output } = job;
    return this.liveJobs.get(spec.id)?.status ??
      jobStatus(spec, status, output?.totals ?? NO_OUTPUT, endedPlacement(job));
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
    await this.#parts.removal.remove(id);
  }

  /** Ends the watchers of many jobs after the last change. No change may follow. */
  end(): void {
    this.#parts.pendingWrites.flush();
    this.events.end(new SupervisorClosedError());
  }

  /** Stores the pending changes and closes the store. Another process may use the directory afterwards. */
  async close(): Promise<void> {
    this.end();
    this.#parts.retention.close();
    this.#parts.pendingWrites.close();
    await this.#parts.output.waitForDeletions();
    this.#parts.attention?.close();
    await this.#parts.placed?.close();
    await this.hosted?.close();
    this.#isClosed = true;
    if (this.#options.directory !== undefined) {
      if (this.#parts.retention.isClockTrusted) this.store.noteTime();
      this.store[Symbol.dispose]();
    }
    await this.#parts.output.close();
  }
}
