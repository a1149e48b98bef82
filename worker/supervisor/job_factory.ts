/** Makes job objects from rows of the store: a job that can be started, one that a job host runs, or one that has ended. */
import type { HostConnection } from "../host/host_connection.ts";
import { HostedJob } from "../host/hosted_job.ts";
import type { HostedJobParts } from "../host/hosted_job_parts.ts";
import type { AnyJob } from "../job/any_job.ts";
import { EndedJob } from "../job/ended_job.ts";
import { makeJob } from "../job/make_job.ts";
import type { JobSpec } from "../job/spec.ts";
import type { StoredProcess } from "../job/status_details.ts";
import type { OutputBudget } from "../output/limit.ts";
import type { OutputLogOptions } from "../output/log.ts";
import { restoreLog, unavailableLog } from "../output/restore.ts";
import { isFinalState } from "../process/state.ts";
import { endedPlacement, type StoredJob } from "../store/rows.ts";
import type { SupervisorOptions } from "./options.ts";
import type { PendingWrites } from "./pending_writes.ts";
import { processOptions } from "./process_options.ts";
import { defined } from "../../base/defined.ts";

/** The parts of a supervisor that its jobs use. */
export interface JobFactoryOptions {
  readonly supervisor: SupervisorOptions;
  /** The id of the current boot. */
  readonly bootId: string;
  /** The disk quota that the output of all jobs shares. */
  readonly budget: OutputBudget;
  readonly logOptions: (spec: JobSpec) => OutputLogOptions;
  readonly pendingWrites: PendingWrites;
  /** Returns the host for new jobs. Absent when the supervisor itself runs the jobs. */
  readonly newHost?: () => HostConnection;
  /** Returns the parts of a job that an engine places. Undefined for other jobs. */
  readonly placed: (spec: JobSpec) => Pick<HostedJobParts, "newHost" | "hostSpec"> | undefined;
  /** Stores other facts of the processes of a job. */
  readonly recordProcess: (id: string, process: StoredProcess) => void;
  readonly onError: (error: unknown) => void;
}

/** Makes job objects. */
export class JobFactory {
  readonly #options: JobFactoryOptions;

  constructor(options: JobFactoryOptions) {
    this.#options = options;
  }

  /** Makes the object of a stored job that is not running. */
  make(job: Pick<StoredJob, "spec" | "status" | "output" | "process">): AnyJob {
    if (job.status.state !== "INITIAL") return this.#makeEnded(job);
    return this.makeHosted(job) ?? this.#makeLocal(job.spec);
  }

  /** Makes the object of a stored job that a host runs, or will run. Undefined when there are no hosts. */
  makeHosted({ spec, status }: Pick<StoredJob, "spec" | "status">): HostedJob | undefined {
    const { supervisor, bootId, budget, logOptions, pendingWrites, placed, recordProcess, onError } = this.#options;
    const { newHost = this.#options.newHost, hostSpec = () => spec } = placed(spec) ?? {};
    return newHost && new HostedJob(spec, status, {
      directory: logOptions(spec).directory,
      bootId,
      newHost,
      hostSpec,
      recordProcess: (process) => recordProcess(spec.id, process),
      startOptions: () => processOptions(spec, supervisor, supervisor.env),
      record: (status, details) => {
        // The host counts these bytes too until it may forget the job.
        if (isFinalState(status.state)) budget.addExisting(details.outputBytes ?? 0);
        pendingWrites.record(spec.id, status, details);
      },
      onError,
    });
  }

  #makeLocal(spec: JobSpec): AnyJob {
    const { supervisor, budget, logOptions, pendingWrites, onError } = this.#options;
    const { cgroups } = supervisor;
    return makeJob(spec, {
      ...processOptions(spec, supervisor, supervisor.env),
      log: { ...logOptions(spec), budget },
      recorder: pendingWrites.recorderOf(spec.id),
      onError,
      ...defined({ cgroups }),
    }).job;
  }

  #makeEnded(job: Pick<StoredJob, "spec" | "status" | "output" | "process">): EndedJob {
    const { spec, status, output } = job;
    const options = this.#options.logOptions(spec);
    const log = output === undefined
      ? unavailableLog(spec.id, options)
      : restoreLog(spec.id, options, output.end, output.totals);
    return new EndedJob(spec, log, status, endedPlacement(job));
  }
}
