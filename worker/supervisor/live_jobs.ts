/**
 * Holds jobs as objects: at most one for each id, while the job runs or somebody uses it. All other jobs are rows in the
 * store, so memory does not grow with jobs that have ended.
 */
import type { AnyJob } from "../job/any_job.ts";

/** The jobs that are objects now. */
export class LiveJobs {
  /** Jobs that run, or whose end is not stored yet. */
  readonly #pinned = new Map<string, AnyJob>();
  /** Every live job. A job that is not pinned stays here while a caller, such as a watcher, refers to it. */
  readonly #references = new Map<string, WeakRef<AnyJob>>();
  readonly #collected = new FinalizationRegistry<string>((id) => {
    if (this.#references.get(id)?.deref() === undefined) this.#references.delete(id);
  });

  /** Returns the live job with this id; undefined when there is none. */
  get(id: string): AnyJob | undefined {
    return this.#pinned.get(id) ?? this.#references.get(id)?.deref();
  }

  /** Adds a job. It stays until nobody refers to it any more. */
  add(job: AnyJob): void {
    this.#references.set(job.id, new WeakRef(job));
    this.#collected.register(job, job.id);
  }

  /** Keeps a job alive until `unpin()`. */
  pin(id: string): void {
    const job = this.#references.get(id)?.deref();
    if (job !== undefined) this.#pinned.set(id, job);
  }

  /** Ends what `pin()` began. */
  unpin(id: string): void {
    this.#pinned.delete(id);
  }

  /** Drops a job that is removed. */
  remove(id: string): void {
    this.#pinned.delete(id);
    this.#references.delete(id);
  }

  /** Returns the jobs that run, or whose end is not stored yet. */
  pinned(): AnyJob[] {
    return [...this.#pinned.values()];
  }

  /** Returns the running jobs. */
  running(): AnyJob[] {
    return this.pinned().filter((job) => job.isRunningState);
  }

  /** Returns all live jobs. */
  all(): AnyJob[] {
    return [...this.#references.values()].flatMap((reference) => reference.deref() ?? []);
  }
}
