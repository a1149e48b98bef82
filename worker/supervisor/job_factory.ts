/** Makes job objects from rows of the store: a job that can be started, or one that has ended. */
import type { Cgroup } from "../cgroup/cgroup.ts";
import { controllersOf } from "../cgroup/limits.ts";
import type { AnyJob } from "../job/any_job.ts";
import { EndedJob } from "../job/ended_job.ts";
import { Job, type JobRecorder } from "../job/job.ts";
import type { JobSpec } from "../job/spec.ts";
import { DEFAULT_CWD } from "../launch/command.ts";
import type { OutputBudget } from "../output/limit.ts";
import { OutputLog, type OutputLogOptions } from "../output/log.ts";
import { restoreLog, unavailableLog } from "../output/restore.ts";
import { Process } from "../process/process.ts";
import type { StoredJob } from "../store/rows.ts";
import { refuseCgroupLimits } from "./admission.ts";
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
    const log = new OutputLog(spec.id, { ...logOptions(spec), budget });
    const cgroup = this.#cgroupOf(spec);
    const process = new Process(spec.command, spec.args, {
      ...spec,
      ...processOptions(spec, supervisor, supervisor.env),
      output: log,
      onError,
      ...defined({ cgroup }),
    });
    return new Job(process, spec, log, recorderOf(spec.id));
  }

  #makeEnded({ spec, status, output }: Pick<StoredJob, "spec" | "status" | "output">): EndedJob {
    const options = this.#options.logOptions(spec);
    const log = output === undefined
      ? unavailableLog(spec.id, options)
      : restoreLog(spec.id, options, output.end, output.totals);
    return new EndedJob(spec, log, status);
  }

  /** The function that makes the job's cgroup. It may fail although admission passed, because the host may change. */
  #cgroupOf({ id, cwd = DEFAULT_CWD, cgroupLimits = {} }: JobSpec): (() => Cgroup) | undefined {
    const { cgroups } = this.#options.supervisor;
    if (cgroups !== undefined) return () => cgroups.create(id, cgroupLimits, cwd);
    return controllersOf(cgroupLimits).length === 0 ? undefined : () => refuseCgroupLimits(cgroupLimits);
  }
}
