/** Makes a job that can be started, with its process and its log. */
import type { Cgroup } from "../cgroup/cgroup.ts";
import { controllersOf } from "../cgroup/limits.ts";
import { refuseCgroupLimits } from "../cgroup/refusal.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import { defined } from "../../base/defined.ts";
import { DEFAULT_CWD } from "../launch/command.ts";
import type { SessionStarter } from "../launch/session_starter.ts";
import { OutputLog, type OutputLogOptions } from "../output/log.ts";
import { Process } from "../process/process.ts";
import { Job, type JobRecorder } from "./job.ts";
import type { JobSpec } from "./spec.ts";

/** The parts that a job gets from the program that runs it. */
export interface JobParts {
  readonly noNewPrivileges: boolean;
  /** The environment that the job's own variables are added to. */
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly log: OutputLogOptions;
  /** Absent: jobs have no cgroups. */
  readonly cgroups?: CgroupTree;
  /** Makes the sessions of jobs. Absent: the system does, which takes longer. */
  readonly sessions?: SessionStarter;
  readonly recorder: JobRecorder;
  readonly onError: (error: unknown) => void;
}

/**
 * Makes a job.
 *
 * @throws {InvalidArgumentError} when Linux cannot run such a command
 */
export function makeJob(spec: JobSpec, parts: JobParts): { readonly job: Job; readonly log: OutputLog } {
  const { noNewPrivileges, baseEnv, sessions, recorder, onError } = parts;
  const log = new OutputLog(spec.id, parts.log);
  const cgroup = cgroupOf(spec, parts.cgroups);
  const process = new Process(spec.command, spec.args, {
    ...spec,
    noNewPrivileges,
    baseEnv,
    output: log,
    onError,
    ...defined({ cgroup, sessions }),
  });
  return { job: new Job(process, spec, log, recorder), log };
}

/** Returns the function that makes the job's cgroup. It may fail although admission passed, because the host may change. */
function cgroupOf(
  { id, cwd = DEFAULT_CWD, cgroupLimits = {} }: JobSpec,
  cgroups: CgroupTree | undefined,
): (() => Cgroup) | undefined {
  if (cgroups !== undefined) return () => cgroups.create(id, cgroupLimits, cwd);
  return controllersOf(cgroupLimits).length === 0 ? undefined : () => refuseCgroupLimits(cgroupLimits);
}
