/** Stops all jobs when a supervisor closes. */
import { SupervisorClosedError } from "../errors.ts";
import type { JobStatus } from "../job/spec.ts";
import type { JobRegistry } from "./job_registry.ts";

/**
 * The wait after the last grace period for the ends of the jobs, in milliseconds. The kernel may hold a process for
 * longer, for example because of a dead disk. The next supervisor then ends the process.
 */
const STUCK_MS = 10_000;

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
    const running = this.#registry.liveJobs.all().filter((job) => job.isRunningState);
    const stops = running.map((job) => job.stop({ reason: "SHUTDOWN", graceMs: graceMs ?? job.graceMs }));
    const longestGraceMs = Math.max(0, ...running.map((job) => graceMs ?? job.graceMs));
    this.#stopped ??= this.#allStopped(stops, longestGraceMs + STUCK_MS);
    return this.#stopped;
  }

  async #allStopped(stops: readonly Promise<JobStatus>[], maxWaitMs: number): Promise<void> {
    await this.#ready.catch(() => {}); // The callers of ready() get this error.
    for (const job of this.#registry.liveJobs.all()) {
      if (job.isInitialState) job.abandon(new SupervisorClosedError());
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, maxWaitMs));
    // A job that cannot be stopped was reported. The next supervisor finds it LOST.
    await Promise.race([Promise.allSettled(stops), timeout]);
    clearTimeout(timer);
    this.#registry.end();
  }
}
