/** Decides whether a job may be registered or started here: the one place that checks it against host and supervisor. */
import type { CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { controllersOf, LIMITED } from "../cgroup/limits.ts";
import type { CgroupTree } from "../cgroup/tree.ts";
import { LimitReachedError, NotEnforceableError } from "../errors.ts";
import type { AnyJob } from "../job/any_job.ts";
import type { JobOptions } from "../job/spec.ts";
import { DEFAULT_CWD } from "../launch/command.ts";
import { checkEnforceable, gainsNoPrivileges } from "../launch/host.ts";
import { applyLimits, type Limits } from "./job_limits.ts";
import { processOptions } from "./process_options.ts";
import { defined } from "../../base/defined.ts";

/** The options of a supervisor that admission depends on. */
export interface AdmissionOptions extends Limits {
  /** Absent: this supervisor cannot enforce limits of cgroups. */
  readonly cgroups?: CgroupTree;
}

/**
 * Refuses a job that this host or supervisor cannot run as its options say.
 *
 * `Supervisor.add()` calls it before a job is stored. `Supervisor.start()` calls it again, because the host or the
 * options of the server may have changed, and passes the running jobs.
 *
 * @param job the options of the job, with the limits of the supervisor applied
 * @param running all running jobs, when the job is about to start; absent when it is registered
 * @throws {NotEnforceableError} when the host or the supervisor cannot enforce an option, with the reason
 * @throws {LimitReachedError} when no more jobs may run
 */
export function admit(job: JobOptions, options: AdmissionOptions, running?: readonly AnyJob[]): void {
  if (job.allowNewPrivileges && (options.newPrivileges === "DENIED" || gainsNoPrivileges())) {
    throw new NotEnforceableError("Cannot let a job gain privileges: neither this server nor any of its jobs may");
  }
  if (job.inheritEnv && Object.keys(options.inheritableEnv ?? {}).length === 0) {
    throw new NotEnforceableError("Cannot let a job inherit variables: this server has none for its jobs");
  }
  checkEnforceable({ ...job, ...processOptions(job, options) });
  checkCgroup(job, options.cgroups);
  if (running !== undefined) checkRunning(job.owner, running, options);
}

/**
 * Refuses default and maximum limits that no job here can have, so that a supervisor reports them once and not per job.
 *
 * @throws {NotEnforceableError} when one of them cannot be enforced
 */
export function checkDefaults(options: AdmissionOptions & { readonly cwd?: string }): void {
  checkCgroup({ ...applyLimits({}, options), ...defined({ cwd: options.cwd }) }, options.cgroups);
}

/** Refuses limits that no cgroup here can enforce. */
function checkCgroup({ cgroupLimits = {}, cwd = DEFAULT_CWD }: JobOptions, cgroups?: CgroupTree): void {
  if (controllersOf(cgroupLimits).length === 0) return;
  if (cgroups === undefined) refuseCgroupLimits(cgroupLimits);
  cgroups.check(cgroupLimits, cwd);
}

/** @throws {NotEnforceableError} always: the supervisor has no cgroups */
export function refuseCgroupLimits(limits: CgroupLimits): never {
  const what = controllersOf(limits).map((controller) => LIMITED[controller]).join(" and ");
  throw new NotEnforceableError(`Cannot limit ${what} on this server: it has no cgroups`);
}

function checkRunning(
  owner: string | undefined,
  running: readonly AnyJob[],
  { maxRunning, maxRunningPerOwner }: Limits,
): void {
  if (maxRunning !== undefined && running.length >= maxRunning) {
    throw new LimitReachedError(`Cannot run more than ${jobsText(maxRunning)} at a time: wait until one ends`);
  }
  if (maxRunningPerOwner === undefined) return;
  if (running.filter((job) => job.spec.owner === owner).length >= maxRunningPerOwner) {
    throw new LimitReachedError(
      `Cannot run more than ${jobsText(maxRunningPerOwner)} of one user at a time: wait until one ends`,
    );
  }
}

function jobsText(count: number): string {
  return count === 1 ? "1 job" : `${count} jobs`;
}
