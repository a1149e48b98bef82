/** Has the jobs of dead job hosts recovered by a host that lives, and deletes what the dead hosts have left. */
import { HostUnavailableError, SurvivorsError } from "../errors.ts";
import type { HostConnection } from "../host/host_connection.ts";
import type { HostedJob } from "../host/hosted_job.ts";
import type { HostPool } from "../host/host_pool.ts";
import { onSomeHost } from "../host/on_some_host.ts";
import type { OrphanedJob, RecoveredJob } from "../host/link.ts";
import type { OutputBudget } from "../output/limit.ts";
import type { StoredJob } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import { countOf, recoverJobs } from "./recovery.ts";
import { defined } from "../../base/defined.ts";

/** The options of the recovery. */
export interface HostRecoveryOptions {
  readonly pool: HostPool;
  readonly store: Store;
  readonly budget: OutputBudget;
  /** The id of the current boot. */
  readonly bootId: string;
  /** Recovers a job in this process. Absent when another user's hosts run the jobs. */
  readonly recoverHere?: (job: OrphanedJob) => Promise<RecoveredJob>;
  readonly onWarning: (message: string) => void;
  readonly onError: (error: unknown) => void;
}

/** The recovery of jobs whose host has died. */
export class HostRecovery {
  readonly #options: HostRecoveryOptions;
  /** The hosts that have died and left files, each with the ids of its jobs whose end is not stored. */
  readonly #dead = new Map<string, Set<string>>();
  /** Dead hosts that are kept until another host runs. Their jobs may be recovered already. */
  readonly #waitsForHost = new Set<string>();
  /** False until the jobs of an earlier supervisor are recovered. Until then their ends may be in files of dead hosts. */
  #isRecovered = false;

  constructor(options: HostRecoveryOptions) {
    this.#options = options;
  }

  /** Notes hosts that died before this supervisor began. */
  addDead(instances: readonly string[]): void {
    for (const instance of instances) this.#dead.set(instance, new Set());
  }

  /**
   * Recovers jobs that an earlier supervisor has stored, and stores how they ended. Jobs whose host had ended in order
   * before their starts arrived are started on the next host.
   *
   * @param adopt makes the object of a job that is started again
   * @throws {StoreUnusableError} when an end cannot be stored
   * @throws {HostUnavailableError} when no host can be started
   */
  async recoverStored(orphans: readonly StoredJob[], adopt: (job: StoredJob) => HostedJob): Promise<void> {
    const { pool, store, budget, onWarning, onError } = this.#options;
    if (orphans.length > 0) {
      await pool.forNewJobs();
      const neverStarted = await recoverJobs(orphans, {
        store,
        budget,
        recover: (job) => this.#recoverOnSomeHost(job),
        onWarning,
        onError,
      });
      for (const job of neverStarted) void adopt(job).hostStart.again().catch(onError);
    }
    this.#isRecovered = true;
    this.discard();
  }

  /** Has a job recovered by the host for new jobs. When that host dies too, by the next one. */
  async #recoverOnSomeHost(job: OrphanedJob): Promise<RecoveredJob> {
    return await onSomeHost(() => this.#options.pool.forNewJobs(), (link) => link.recover(job));
  }

  /**
   * Recovers a job, in this process when no host can be started. A host of a service manager may stay away for long, and
   * meanwhile nobody else would end the processes of the job.
   */
  async #recoverAnywhere(job: OrphanedJob): Promise<RecoveredJob> {
    try {
      return await this.#recoverOnSomeHost(job);
    } catch (error) {
      const { recoverHere } = this.#options;
      if (!(error instanceof HostUnavailableError) || recoverHere === undefined) throw error;
      const recovered = await recoverHere(job);
      // A host may have more rights.
      if (recovered.survivors.length > 0) throw error;
      return recovered;
    }
  }

  /**
   * Recovers the running jobs of a host that has just died. Continues where an earlier call has failed.
   *
   * @param jobs the jobs whose end is not stored. Some may have ended
   */
  async recoverOf(host: HostConnection, jobs: readonly HostedJob[]): Promise<void> {
    const running = jobs.filter((job) => job.isRunningState);
    if (!this.#dead.has(host.instance)) this.#dead.set(host.instance, new Set(jobs.map(({ id }) => id)));
    const lost: string[] = [];
    const results = await Promise.allSettled(running.map(async (job) => {
      if (await this.recover(job)) lost.push(job.id);
    }));
    if (lost.length > 0) {
      this.#options.onWarning(`Jobs of job host ${host.name} whose end nobody saw are LOST: ${countOf(lost)}`);
    }
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    // The supervisor is not available before it has a host, also when it has recovered the jobs without one.
    if (running.length > 0 || this.#waitsForHost.has(host.instance)) {
      this.#waitsForHost.add(host.instance);
      await this.#options.pool.forNewJobs();
      this.#waitsForHost.delete(host.instance);
    }
    this.discard();
  }

  /** Recovers one running job. Returns whether it is LOST now. */
  async recover(job: HostedJob): Promise<boolean> {
    const { spec, processStatus: status, process } = job;
    const result = await this.#recoverAnywhere({ spec, status, ...defined({ process }) });
    // Another recovery of this job was faster.
    if (job.process !== process) return false;
    const { status: { state }, survivors, isDenied } = result;
    if (state === "INITIAL") {
      void job.hostStart.again().catch(this.#options.onError);
      this.settled(job.id); // The next host has the job now, so the dead one does not.
      return false;
    }
    if (survivors.length > 0) this.#options.onError(new SurvivorsError(job.id, survivors, isDenied));
    job.apply(result);
    return state === "LOST";
  }

  /** Notes that the end of a job is stored. */
  settled(id: string): void {
    if (this.#dead.size === 0) return;
    for (const left of this.#dead.values()) left.delete(id);
    this.discard();
  }

  /** Deletes the files of dead hosts whose jobs are all stored. */
  discard(): void {
    const link = this.#options.pool.current?.open;
    if (link === undefined || !this.#isRecovered) return;
    for (const [instance, left] of this.#dead) {
      if (left.size > 0) continue;
      this.#dead.delete(instance);
      // A host that cannot be reached now leaves the files to the next supervisor.
      void link.discard(instance).catch((error) => {
        if (!(error instanceof HostUnavailableError)) this.#options.onError(error);
      });
    }
  }
}
