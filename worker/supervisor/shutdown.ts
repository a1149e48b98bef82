/** Ends the work of a supervisor: stops its jobs, or leaves them to their job hosts. */
import { SupervisorClosedError } from "../errors.ts";
import { stopAll } from "../job/stop_all.ts";
import type { JobRegistry } from "./job_registry.ts";

/** The shutdown of a supervisor. */
export class Shutdown {
  readonly #registry: JobRegistry;
  readonly #ready: Promise<void>;
  #ended: Promise<void> | undefined;

  /** @param ready resolves when recovery has finished */
  constructor(registry: JobRegistry, ready: Promise<void>) {
    this.#registry = registry;
    this.#ready = ready;
  }

  /** @throws {SupervisorClosedError} when the shutdown has begun */
  assertOpen(): void {
    if (this.#ended !== undefined) throw new SupervisorClosedError();
  }

  /**
   * Stops all running jobs (reason `SHUTDOWN`) and ends their watchers. A second call joins the first.
   *
   * @param graceMs the grace period in milliseconds; absent: the grace period of each job. A second call may shorten it
   * @returns the number of jobs that have not ended: of a job host that hangs, or held by the kernel
   */
  async stopJobs(graceMs: number | undefined): Promise<number> {
    const stopped = this.#stopAll(graceMs);
    this.#ended ??= this.#end(stopped, false);
    await Promise.all([stopped, this.#ended]);
    return this.#registry.liveJobs.all().filter((job) => job.isRunningState).length;
  }

  /** Ends all watchers. The jobs continue in their job hosts. */
  async leaveJobs(): Promise<void> {
    await (this.#ended ??= this.#end(Promise.resolve(), true));
  }

  async #stopAll(graceMs: number | undefined): Promise<void> {
    // Jobs of an earlier supervisor are known after recovery.
    if (this.#registry.hosted !== undefined) await this.#ready.catch(() => {});
    await stopAll(this.#registry.liveJobs.all(), graceMs);
  }

  /** @param jobsContinue true when the watchers of running jobs must not wait for the ends of the jobs */
  async #end(stopped: Promise<void>, jobsContinue: boolean): Promise<void> {
    await this.#ready.catch(() => {}); // The callers of ready() get this error.
    for (const job of this.#registry.liveJobs.all()) {
      if (job.isInitialState || (jobsContinue && job.isRunningState)) job.abandon(new SupervisorClosedError());
    }
    await stopped;
    this.#registry.end();
  }
}
