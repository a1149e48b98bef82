/** The hosts of the jobs of an engine that have not ended. */
import type { BegunJob } from "./engine.ts";
import type { PlacedHost } from "./placed_host.ts";
import { decidesInMs } from "./verdict.ts";

/** The hosts of the jobs that have not ended. */
export class PlacedHosts {
  readonly #byName = new Map<string, PlacedHost>();
  readonly #byJob = new Map<string, PlacedHost>();

  /** All hosts. */
  get all(): readonly PlacedHost[] {
    return [...this.#byName.values()];
  }

  /** True when all jobs are over. */
  get isEmpty(): boolean {
    return this.#byName.size === 0;
  }

  /** True while a host has no link. */
  get hasSilent(): boolean {
    for (const { open } of this.#byName.values()) if (open === undefined) return true;
    return false;
  }

  /** The jobs whose host has begun and has no link. */
  get begun(): BegunJob[] {
    return this.all.flatMap(({ instance: id, open, isUnclaimed, node }) => {
      return open === undefined && !isUnclaimed && node !== undefined ? [{ id, node }] : [];
    });
  }

  /** Returns how long it takes until the engine's present words decide about a job, in milliseconds. */
  decideInMs(settleMs: number): number {
    return Math.min(...this.all.map(({ sight }) => decidesInMs(sight, settleMs)));
  }

  /** Returns the host with a name. Undefined when its job is over. */
  named(name: string): PlacedHost | undefined {
    return this.#byName.get(name);
  }

  /** Returns the host of a job. Undefined when the job is over, or was never started. */
  ofJob(id: string): PlacedHost | undefined {
    return this.#byJob.get(id);
  }

  /** Adds a host, and returns it. */
  add(host: PlacedHost): PlacedHost {
    this.#byName.set(host.instance, host);
    this.#byJob.set(host.job, host);
    return host;
  }

  /** Removes a host. No host process is accepted for it from now on. */
  remove(host: PlacedHost): void {
    host.isOver = true;
    host.replica?.release();
    this.#byName.delete(host.instance);
    if (this.#byJob.get(host.job) === host) this.#byJob.delete(host.job);
  }
}
