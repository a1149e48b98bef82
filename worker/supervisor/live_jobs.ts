/**
 * Jobs as objects: one at a time for each id, while it runs or anybody holds it. All others are rows in the store, so
 * memory does not grow with jobs that have ended.
 */
import type { AnyJob } from "../job/any_job.ts";

/** The jobs that are objects now. */
export class LiveJobs {
  /** Those that run, or whose end is not on record yet. */
  readonly #held = new Map<string, AnyJob>();
  /** Those that somebody has, such as a watcher, or had until lately. */
  readonly #others = new Map<string, WeakRef<AnyJob>>();
  readonly #collected = new FinalizationRegistry<string>((id) => {
    if (this.#others.get(id)?.deref() === undefined) this.#others.delete(id);
  });

  /** The job with this id; undefined when it is none now. */
  get(id: string): AnyJob | undefined {
    return this.#held.get(id) ?? this.#others.get(id)?.deref();
  }

  /** Adds a job, for as long as somebody has it. */
  add(job: AnyJob): void {
    this.#others.set(job.id, new WeakRef(job));
    this.#collected.register(job, job.id);
  }

  /** Keeps a job, whoever has it or not. */
  hold(id: string): void {
    const job = this.#others.get(id)?.deref();
    if (job !== undefined) this.#held.set(id, job);
  }

  /** Keeps a job no longer. */
  release(id: string): void {
    this.#held.delete(id);
  }

  /** Forgets a job. */
  remove(id: string): void {
    this.#held.delete(id);
    this.#others.delete(id);
  }

  /** Those that run. */
  running(): AnyJob[] {
    return [...this.#held.values()].filter((job) => job.isRunningState);
  }

  /** All that are objects now. */
  all(): AnyJob[] {
    return [...this.#others.values()].flatMap((reference) => reference.deref() ?? []);
  }
}
