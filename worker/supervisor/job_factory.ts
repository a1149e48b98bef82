/** Makes job objects from rows of the store: a job that can be started, or one that has ended. */
import type { AnyJob } from "../job/any_job.ts";
import { EndedJob } from "../job/ended_job.ts";
import type { Job, JobRecorder } from "../job/job.ts";
import { makeJob } from "../job/make_job.ts";
import type { JobSpec } from "../job/spec.ts";
import type { OutputBudget } from "../output/limit.ts";
import type { OutputLogOptions } from "../output/log.ts";
import { restoreLog, unavailableLog } from "../output/restore.ts";
import type { StoredJob } from "../store/rows.ts";
import type { SupervisorOptions } from "./options.ts";
import { processOptions } from "./process_options.ts";
import { defined } from "../../base/defined.ts";

/** The parts of a supervisor that its jobs use. */
export interface JobFactoryOptions {
  readonly supervisor: SupervisorOptions;
  /** The disk quota that the output of all jobs shares. */
  readonly budget: OutputBudget;
  readonly logOptions: (spec: JobSpec) => OutputLogOptions;
  readonly recorderOf: (id: string) => JobRecorder;
  readonly onError: (error: unknown) => void;
}

/** Makes job objects. */
export class JobFactory {
  readonly #options: JobFactoryOptions;

  constructor(options: JobFactoryOptions) {
    this.#options = options;
  }

  /** Makes the object of a stored job that is not running. */
  make(job: Pick<StoredJob, "spec" | "status" | "output">): AnyJob {
    return job.status.state === "INITIAL" ? this.#makeInitial(job.spec) : this.#makeEnded(job);
  }

  #makeInitial(spec: JobSpec): Job {
    const { supervisor, budget, logOptions, recorderOf, onError } = this.#options;
    const { cgroups } = supervisor;
    return makeJob(spec, {
      ...processOptions(spec, supervisor, supervisor.env),
      log: { ...logOptions(spec), budget },
      recorder: recorderOf(spec.id),
      onError,
      ...defined({ cgroups }),
    }).job;
  }

  #makeEnded({ spec, status, output }: Pick<StoredJob, "spec" | "status" | "output">): EndedJob {
    const options = this.#options.logOptions(spec);
    const log = output === undefined
      ? unavailableLog(spec.id, options)
      : restoreLog(spec.id, options, output.end, output.totals);
    return new EndedJob(spec, log, status);
  }
}
