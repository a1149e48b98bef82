/** Stops all jobs when a supervisor closes. */
import { SupervisorClosedError } from "../errors.ts";
import { stopAll } from "../job/stop_all.ts";
import type { JobRegistry } from "./job_registry.ts";

/** The shutdown of a supervisor. */
export class Shutdown {
  readonly #registry: JobRegistry;
  readonly #ready: Promise<void>;
  #stopped: Promise<void> | undefined;

  /** @param ready resolves when recovery has finished */
  constructor(registry: JobRegistry, ready: Promise<void>) {
    this.#registry = registry;
    this.#ready = ready;
  }

  /** @throws {SupervisorClosedError} when the shutdown has begun */
  assertOpen(): void {
    if (this.#stopped !== undefined) throw new SupervisorClosedError();
  }

  /**
   * Stops all running jobs (reason `SHUTDOWN`) and ends their watchers. A second call joins the first.
   *
   * @param graceMs the grace period in milliseconds; absent: the grace period of each job. A second call may shorten it
   */
  stopJobs(graceMs: number | undefined): Promise<void> {
    const stops = stopAll(this.#registry.liveJobs.all(), graceMs);
    return this.#stopped ??= this.#allStopped(stops);
  }

  async #allStopped(stops: Promise<void>): Promise<void> {
    await this.#ready.catch(() => {}); // The callers of ready() get this error.
    for (const job of this.#registry.liveJobs.all()) {
      if (job.isInitialState) job.abandon(new SupervisorClosedError());
    }
    await stops;
    this.#registry.end();
  }
}
