/** A job of a job host: numbers its changes, and reports each one, the last one after it is in a file. */
import { defined } from "../../base/defined.ts";
import { JobNotRunningError } from "../errors.ts";
import { changeDetails, type RecordedChange } from "../job/change_details.ts";
import type { Job } from "../job/job.ts";
import { type JobParts, makeJob } from "../job/make_job.ts";
import type { JobSpec } from "../job/spec.ts";
import type { StoredProcess } from "../job/status_details.ts";
import type { StoppableJob } from "../job/stop_all.ts";
import type { OutputLog, OutputLogOptions } from "../output/log.ts";
import type { StopOptions } from "../process/options.ts";
import { isFinalState } from "../process/state.ts";
import type { HostedJobState, JobChange, LiveState, LogState } from "./link.ts";

/** The options of an owned job. */
export interface OwnedJobOptions extends Omit<JobParts, "recorder" | "log"> {
  readonly log: Omit<OutputLogOptions, "onMoved">;
  /** Identifies where the job runs. */
  readonly place: Pick<StoredProcess, "bootId" | "cgroup" | "host">;
  /** Writes the last change to a file. Resolves also when the disk refuses it. */
  readonly writeEnd: (end: JobChange) => Promise<void>;
  /** Called with each change, in order. */
  readonly changed: (change: JobChange) => void;
  /** Called when the log of a watched job has moved. */
  readonly grew: (range: Pick<LogState, "start" | "end">) => void;
  /** Called when the log has moved, watched or not. */
  readonly onOutput?: () => void;
  /** Called after the last change. */
  readonly onEnded: () => void;
}

/** A job of a job host, from its start until a supervisor has stored its end. */
export class OwnedJob implements StoppableJob {
  readonly job: Job;
  /** True while a supervisor wants to hear of each growth of the log. */
  isWatched = false;
  readonly #log: OutputLog;
  readonly #options: OwnedJobOptions;
  /** The reported changes. */
  readonly #changes: JobChange[] = [];
  /** The changes of a start whose outcome is not known. */
  #heldChanges: JobChange[] | undefined = [];
  #lastNumber = 0;
  readonly #ended = Promise.withResolvers<void>();

  /** @throws {InvalidArgumentError} when Linux cannot run such a command */
  constructor(spec: JobSpec, options: OwnedJobOptions) {
    this.#options = options;
    const { job, log } = makeJob(spec, {
      ...options,
      log: { ...options.log, onMoved: () => this.#moved() },
      recorder: { record: (process, status, log, by) => this.#record({ process, status, log, by }) },
    });
    this.job = job;
    this.#log = log;
  }

  /** True until the end of the job is reported. */
  get isRunningState(): boolean {
    return !isFinalState(this.#changes.at(-1)?.status.state ?? "INITIAL");
  }

  /** The time between SIGTERM and SIGKILL at a stop, in milliseconds. */
  get graceMs(): number {
    return this.job.graceMs;
  }

  /** The last change. Absent until the end of the job is reported. */
  get end(): JobChange | undefined {
    return this.isRunningState ? undefined : this.#changes.at(-1);
  }

  /** The job as a supervisor learns of it. */
  get state(): HostedJobState {
    return { id: this.job.id, changes: [...this.#changes], ...defined({ live: this.live }) };
  }

  /** The facts that change without a change of the state. Undefined after the end. */
  get live(): LiveState | undefined {
    if (!this.isRunningState) return undefined;
    const { requestedBy, paused, pausedBy, input } = this.job.status;
    return {
      log: { ...this.#range, totals: this.#log.totals() },
      ...defined({ requestedBy, input, paused: paused ? defined({ by: pausedBy }) : undefined }),
    };
  }

  get #range(): Pick<LogState, "start" | "end"> {
    return { start: this.#log.start, end: this.#log.end };
  }

  /**
   * Starts the job.
   *
   * @param by the user who requests the start
   * @returns undefined, or a promise that rejects with the reason why the job could not be started and can be later
   */
  start(by: string | undefined): Promise<unknown> | undefined {
    const run = this.job.start(by);
    const changes = this.#heldChanges ?? [];
    this.#heldChanges = undefined;
    if (this.job.isInitialState) return run;
    run.catch(this.#options.onError);
    for (const change of changes) this.#report(change);
    return undefined;
  }

  /** Stops the job. Resolves when its end is reported. */
  async stop(options: StopOptions): Promise<void> {
    await this.job.stop(options);
    await this.#ended.promise;
  }

  #moved(): void {
    this.#options.onOutput?.();
    if (this.isWatched) this.#options.grew(this.#range);
  }

  #record(recorded: RecordedChange): void {
    const { id } = this.job;
    this.#lastNumber += 1;
    const details = changeDetails(recorded, this.#options.place);
    const change = { id, number: this.#lastNumber, status: recorded.status, details };
    if (this.#heldChanges !== undefined) this.#heldChanges.push(change);
    else if (isFinalState(change.status.state)) void this.#options.writeEnd(change).then(() => this.#report(change));
    else this.#report(change);
  }

  #report(change: JobChange): void {
    this.#changes.push(change);
    this.#options.changed(change);
    if (this.isRunningState) return;
    this.#ended.resolve();
    this.#options.onEnded();
  }
}

/** Returns the error for an action that needs a running job. */
export function notRunning(id: string, state: string | undefined, action: string): JobNotRunningError {
  return new JobNotRunningError(`Job ${JSON.stringify(id)}`, state, action);
}
