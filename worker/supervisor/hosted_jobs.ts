/**
 * The jobs that job hosts run, for a supervisor. It continues with jobs of earlier supervisors and follows their changes.
 * It lets a host forget a job whose end is stored.
 */
import type { Isolation } from "../../base/job_options/table.ts";
import { HostUnavailableError } from "../errors.ts";
import type { HostConnection } from "../host/host_connection.ts";
import { HostedJob } from "../host/hosted_job.ts";
import { HostPool } from "../host/host_pool.ts";
import { onSomeHost } from "../host/on_some_host.ts";
import type { JobHosts } from "../host/job_hosts.ts";
import type { HostCheck, HostedJobState, JobChange } from "../host/link.ts";
import type { AnyJob } from "../job/any_job.ts";
import type { StatusDetails } from "../job/status_details.ts";
import type { OutputBudget } from "../output/limit.ts";
import { isFinalState, type ProcessStatus } from "../process/state.ts";
import type { StoredJob } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import { HostRecovery, type HostRecoveryOptions } from "./host_recovery.ts";
import { HostRooms } from "./host_rooms.ts";
import { isPlaced } from "./placed_jobs.ts";
import type { LiveJobs } from "./live_jobs.ts";

/** The parts of a supervisor that hosted jobs use. */
export interface HostedJobsOptions extends Pick<HostRecoveryOptions, "recoverHere"> {
  readonly hosts: JobHosts;
  readonly store: Store;
  readonly liveJobs: LiveJobs;
  /** The id of the current boot. */
  readonly bootId: string;
  readonly budget: OutputBudget;
  /** Makes the object of a job that is not in `liveJobs`. */
  readonly makeJob: (job: StoredJob) => HostedJob;
  /** Removes ended jobs, as many as have these bytes. */
  readonly makeRoom: (bytes: number) => void;
  /** Called after `onAvailability(false)`, and for each further host that does not answer. */
  readonly onSilence: () => void;
  readonly onAvailability: (isAvailable: boolean) => void;
  readonly onWarning: (message: string) => void;
  readonly onError: (error: unknown) => void;
}

/** The jobs of all job hosts. */
export class HostedJobs {
  readonly #options: HostedJobsOptions;
  readonly #pool: HostPool;
  readonly #rooms: HostRooms;
  readonly #recovery: HostRecovery;

  constructor(options: HostedJobsOptions) {
    this.#options = options;
    const { budget, makeRoom, onAvailability, onError } = options;
    this.#pool = new HostPool(options.hosts, {
      attached: (host, jobs) => this.#attached(host, jobs),
      answers: (host) => this.#repeatStarts(host),
      fellSilent: options.onSilence,
      died: (host) => this.#died(host),
      changed: (host, change) => this.#changed(host, change),
      grew: (id, range) => this.#find(id)?.takeGrowth(range),
      needsRoom: (host, bytes) => this.#rooms.needsRoom(host, bytes),
      availability: onAvailability,
      failed: onError,
    });
    this.#recovery = new HostRecovery({ ...options, pool: this.#pool });
    this.#rooms = new HostRooms({
      budget,
      current: () => this.#pool.current,
      runningBytes: (host) => this.#runningJobs(host).reduce((sum, job) => sum + job.diskBytes, 0),
      makeRoom,
    });
  }

  /**
   * Continues with all jobs that an earlier supervisor has started, and has those of dead hosts recovered.
   *
   * @throws {StoreUnusableError} when an end cannot be stored
   * @throws {HostUnavailableError} when there are jobs to recover and no host can be started
   */
  async recover(): Promise<void> {
    const { store } = this.#options;
    this.#recovery.addDead(await this.#pool.open());
    const orphans: StoredJob[] = [];
    for (const job of store.unfinishedJobs()) {
      if (isPlaced(job)) continue;
      const host = this.#pool.find(job.process?.host);
      if (host === undefined || isFinalState(job.status.state)) orphans.push(job);
      else this.#adopt(job).hostStart.adopt(host, job.process);
    }
    await this.#pool.attachAll();
    await this.#recovery.recoverStored(orphans, (job) => this.#adopt(job));
  }

  #adopt(stored: StoredJob): HostedJob {
    const { liveJobs, makeJob } = this.#options;
    const job = makeJob(stored);
    liveJobs.add(job);
    liveJobs.pin(job.id);
    return job;
  }

  #attached(host: HostConnection, states: readonly HostedJobState[]): void {
    const known = new Set(states.map(({ id }) => id));
    const unstored = new Set(this.#unstoredJobs(host));
    for (const state of states) {
      const job = this.#find(state.id);
      if (job !== undefined && unstored.has(job)) job.takeState(state);
      else this.#ignore(host, state);
    }
    for (const job of this.#runningJobs(host)) {
      // A start that has not arrived is repeated below. A host knows every other job until its end is stored.
      if (!known.has(job.id) && job.processStatus.state !== "STARTING") this.#inBackground(this.#recovery.recover(job));
    }
    this.#repeatStarts(host, known);
    this.#rooms.attached(host, states);
  }

  /** Handles a job of a host whose end this supervisor does not need. */
  #ignore(host: HostConnection, { id, live }: HostedJobState): void {
    if (live === undefined) host.open?.forget(id); // Its end was stored before the last link ended.
    else {
      this.#options.onWarning(
        `Job "${id}" runs on job host ${host.name} and is not in the database: end it with "teleportd host stop"`,
      );
    }
  }

  #repeatStarts(host: HostConnection, except: ReadonlySet<string> = new Set()): void {
    for (const { id, hostStart } of this.#runningJobs(host)) {
      if (hostStart.isUnknown && !except.has(id)) this.#inBackground(hostStart.request());
    }
  }

  /** Reports the failure of work that no caller waits for. A host that cannot be reached is reported elsewhere. */
  #inBackground(work: Promise<unknown>): void {
    work.catch((error) => {
      if (!(error instanceof HostUnavailableError)) this.#options.onError(error);
    });
  }

  #changed(host: HostConnection, change: JobChange): void {
    const job = this.#find(change.id);
    if (job?.host === host) job.apply(change);
    else if (isFinalState(change.status.state)) host.open?.forget(change.id);
  }

  async #died(host: HostConnection): Promise<void> {
    await this.#recovery.recoverOf(host, this.#unstoredJobs(host));
    this.#rooms.remove(host);
  }

  /** Notes that the end of a job is stored, or can never be. */
  settled(id: string, status: ProcessStatus, { process }: StatusDetails): void {
    if (!isFinalState(status.state)) return;
    this.#pool.find(process?.host)?.open?.forget(id);
    this.#rooms.update();
    this.#recovery.settled(id);
  }

  /** Notes that stored jobs use more or less of the disk. */
  diskChanged(): void {
    this.#rooms.update();
  }

  /**
   * Returns the host for new jobs.
   *
   * @throws {HostUnavailableError} when none can start a job now
   */
  newHost(): HostConnection {
    const host = this.#pool.current;
    if (host === undefined) throw new HostUnavailableError("no link to one is open");
    if (host.outage !== undefined) throw host.outage;
    return host;
  }

  /** True when a host for new jobs runs. */
  get hasHost(): boolean {
    return this.#pool.current !== undefined;
  }

  /**
   * Starts the host for new jobs, if none runs.
   *
   * @throws {HostUnavailableError} when it cannot be started or reached
   */
  async prepare(): Promise<HostConnection> {
    if (this.#pool.current === undefined) {
      await this.#pool.forNewJobs();
      this.#recovery.discard();
      this.#rooms.update();
    }
    return this.newHost();
  }

  readonly #nextHost = () => this.prepare();

  /** @throws {NotEnforceableError} when the host cannot run such a job */
  async check(check: HostCheck | undefined): Promise<void> {
    if (check !== undefined) await onSomeHost(this.#nextHost, (link) => link.check(check));
  }

  async isolations(): Promise<Readonly<Record<Isolation, string>>> {
    return await onSomeHost(this.#nextHost, (link) => link.isolations());
  }

  async deleteOutput(id: string): Promise<void> {
    await onSomeHost(this.#nextHost, (link) => link.deleteOutput(id));
  }

  /** Asks the hosts for the present facts of running jobs. Jobs of a host that cannot be reached keep the last known. */
  async refresh(jobs: Iterable<AnyJob | undefined>): Promise<void> {
    const running = [...jobs].filter((job) => job instanceof HostedJob && job.isRunningState) as HostedJob[];
    await Promise.all([...Map.groupBy(running, (job) => job.host)].map(async ([host, jobs]) => {
      const states = await host?.statesOf(jobs.map(({ id }) => id)) ?? {};
      for (const job of jobs) {
        const live = states[job.id];
        if (live !== undefined) job.takeLive(live);
      }
    }));
  }

  /** Asks all hosts for an answer, so that a host that hangs is noticed. */
  askAll(): void {
    for (const host of this.#pool.all) host.ask();
  }

  /** The bytes of the output of all running jobs, as far as they are known. */
  get runningBytes(): number {
    return this.#pool.all.flatMap((host) => this.#runningJobs(host)).reduce((sum, job) => sum + job.diskBytes, 0);
  }

  /** Ends the links. The hosts and their jobs continue. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  #find(id: string): HostedJob | undefined {
    const job = this.#options.liveJobs.get(id);
    return job instanceof HostedJob ? job : undefined;
  }

  #runningJobs(host: HostConnection): HostedJob[] {
    return this.#unstoredJobs(host).filter((job) => job.isRunningState);
  }

  /** Returns the jobs of a host that run, or whose end is not stored yet. */
  #unstoredJobs(host: HostConnection): HostedJob[] {
    return this.#options.liveJobs.pinned().filter((job) => job instanceof HostedJob).filter((job) => job.host === host);
  }
}
