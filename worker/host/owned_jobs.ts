/** The jobs of a job host: starts each once, and keeps it until a supervisor has stored its end. */
import { removeDirectory } from "../remove_directory.ts";
import { join } from "node:path";
import { defined } from "../../base/defined.ts";
import type { FileModes } from "../../base/file_modes.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import { InvalidArgumentError, JobRunningError, SupervisorClosedError } from "../errors.ts";
import type { JobSpec } from "../job/spec.ts";
import type { StoredProcess } from "../job/status_details.ts";
import { stopAll } from "../job/stop_all.ts";
import { DEFAULT_CWD } from "../launch/command.ts";
import type { SessionStarter } from "../launch/session_starter.ts";
import type { OutputLogOptions } from "../output/log.ts";
import { EndJournal } from "./end_journal.ts";
import { ForgottenIds } from "./forgotten_ids.ts";
import { checkHost } from "./host_check.ts";
import type { HostedJobState, HostEvents, HostStart, LiveState } from "./link.ts";
import { OutputRoom } from "./output_room.ts";
import { notRunning, OwnedJob } from "./owned_job.ts";

/** The options of the jobs. */
export interface OwnedJobsOptions {
  /** The directory with the output of all jobs. */
  readonly outputDirectory: string;
  /** The file of the journal. */
  readonly journalPath: string;
  /** Identifies where the jobs run. */
  readonly place: Pick<StoredProcess, "bootId" | "host">;
  /** The modes of the output. Default: for the owner alone. */
  readonly modes?: FileModes;
  /** Absent: jobs have no cgroups. */
  readonly cgroups?: CgroupTree;
  /** Makes the sessions of jobs. Absent: the system does, which takes longer. */
  readonly sessions?: SessionStarter;
  readonly events: Pick<HostEvents, "changed" | "grew">;
  /** Called when the output of a job has grown. */
  readonly onOutput?: () => void;
  /** Called when a job has ended or is forgotten, and when a delayed end is on the disk. */
  readonly onLess: () => void;
  readonly onError: (error: unknown) => void;
}

/** The jobs of a job host. */
export class OwnedJobs {
  /** The disk space for the output of all jobs that are not forgotten. */
  readonly room = new OutputRoom();
  readonly #options: OwnedJobsOptions;
  readonly #journal: EndJournal;
  readonly #jobs = new Map<string, OwnedJob>();
  readonly #forgotten = new ForgottenIds();
  #runningCount = 0;
  /** The number of `stopAll` calls that have not finished. */
  #stopping = 0;

  constructor(options: OwnedJobsOptions) {
    this.#options = options;
    const { journalPath: path, onLess: onWritten, onError } = options;
    this.#journal = new EndJournal({ path, onWritten, onError });
  }

  /** True when a job runs, or when an end is not on the disk. */
  get isBusy(): boolean {
    return !this.#journal.isWritten || this.#runningCount > 0;
  }

  /** The number of running jobs. */
  get runningCount(): number {
    return this.#runningCount;
  }

  /** True when the host has no job. */
  get isEmpty(): boolean {
    return this.#jobs.size === 0;
  }

  /** The states of all jobs. */
  get states(): readonly HostedJobState[] {
    return [...this.#jobs.values()].map(({ state }) => state);
  }

  /** Returns a job. Undefined when there is none with this id. */
  get(id: string): OwnedJob | undefined {
    return this.#jobs.get(id);
  }

  /**
   * Returns a job.
   *
   * @param action what only a running job can do
   * @throws {JobNotRunningError} when the host does not know the id
   */
  need(id: string, action: string): OwnedJob {
    const job = this.#jobs.get(id);
    if (job === undefined) throw notRunning(id, undefined, action);
    return job;
  }

  /** Returns the live states of those jobs that run. */
  liveStates(ids: readonly string[]): Readonly<Record<string, LiveState>> {
    const states: Record<string, LiveState> = {};
    for (const id of ids) {
      const live = this.#jobs.get(id)?.live;
      if (live !== undefined) states[id] = live;
    }
    return states;
  }

  /** Ends the watches of all logs. */
  unwatchAll(): void {
    for (const job of this.#jobs.values()) job.isWatched = false;
  }

  /**
   * Starts a job. Has no effect when its id was started before.
   *
   * @throws {HostExhaustedError} when the machine lacks resources now
   * @throws {NotEnforceableError} when an option cannot be enforced here
   * @throws {SupervisorClosedError} while all jobs are stopped
   */
  async start({ spec, noNewPrivileges, baseEnv, by }: HostStart): Promise<void> {
    const { id, cwd = DEFAULT_CWD, cgroupLimits } = spec;
    if (this.#jobs.has(id) || this.#forgotten.has(id)) return;
    if (this.#stopping > 0) throw new SupervisorClosedError();
    const { cgroups, sessions, place, events, onOutput, onLess, onError } = this.#options;
    checkHost({ options: spec, cwd, noNewPrivileges, ...defined({ cgroupLimits }) }, cgroups);
    const job = new OwnedJob(spec, {
      noNewPrivileges,
      baseEnv,
      log: { ...this.logOptions(spec), budget: this.room },
      place: { ...place, ...defined({ cgroup: cgroups?.directoryOf(id) }) },
      writeEnd: (end) => this.#journal.write(end),
      changed: (change) => events.changed(change),
      grew: (range) => events.grew(id, range),
      onEnded: () => {
        this.#runningCount -= 1;
        onLess();
      },
      onError,
      ...defined({ cgroups, sessions, onOutput }),
    });
    this.#jobs.set(id, job);
    this.#runningCount += 1;
    const refused = job.start(by);
    if (refused === undefined) return;
    this.#runningCount -= 1;
    this.#jobs.delete(id);
    await refused;
  }

  /** Forgets a job whose end a supervisor has stored. Has no effect before its end. */
  forget(id: string): void {
    const end = this.#jobs.get(id)?.end;
    if (end === undefined) return;
    this.#jobs.delete(id);
    this.#forgotten.add(id);
    this.#journal.forget(id);
    this.room.release(end.details.outputBytes ?? 0);
    this.#options.onLess();
  }

  /** Stops all jobs with reason `SHUTDOWN`. Resolves when they have ended. */
  async stopAll(graceMs: number | undefined): Promise<void> {
    this.#stopping += 1;
    this.room.endWaiting();
    try {
      await stopAll([...this.#jobs.values()], graceMs);
    } finally {
      this.#stopping -= 1;
    }
  }

  /**
   * Deletes the output of a job.
   *
   * @throws {JobRunningError} when the job runs
   * @throws {InvalidArgumentError} when no job can have this id
   */
  async deleteOutput(id: string): Promise<void> {
    if (!/^[\w-]+$/.test(id)) throw new InvalidArgumentError(`Unknown job ${JSON.stringify(id)}`);
    this.assertEnded(id);
    await removeDirectory(this.logOptions({ id }).directory);
  }

  /** @throws {JobRunningError} when a job with this id runs */
  assertEnded(id: string): void {
    const job = this.#jobs.get(id);
    if (job?.isRunningState) throw new JobRunningError(id, job.job.status.state);
  }

  /** Returns the options for the log of a job. */
  logOptions({ id, outputLimit }: Pick<JobSpec, "id" | "outputLimit">): OutputLogOptions {
    const { outputDirectory, modes } = this.#options;
    return { directory: join(outputDirectory, id), ...defined({ limit: outputLimit, modes }) };
  }

  /**
   * Closes the journal. Ends that could not be written get a last try.
   *
   * @param isFinal true when no job can start any more
   */
  async close(isFinal: boolean): Promise<void> {
    await this.#journal.close(isFinal && this.#runningCount === 0);
  }
}
