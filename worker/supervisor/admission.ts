/**
 * Decides whether a job may be registered or started. The supervisor's half is here: what its options allow. The machine's
 * half is in host/host_check.ts.
 */
import type { CgroupTree } from "../cgroup/tree.ts";
import { checkCgroupLimits } from "../cgroup/refusal.ts";
import { checkEngine } from "../engine/needs.ts";
import type { Placing } from "../engine/placing.ts";
import { LimitReachedError, NotEnforceableError } from "../errors.ts";
import { checkHost, NO_NEW_PRIVILEGES } from "../host/host_check.ts";
import type { JobHosts } from "../host/job_hosts.ts";
import type { HostCheck } from "../host/link.ts";
import type { AnyJob } from "../job/any_job.ts";
import type { JobOptions } from "../job/spec.ts";
import { DEFAULT_CWD } from "../launch/command.ts";
import { applyLimits, type Limits } from "./job_limits.ts";
import { processOptions } from "./process_options.ts";
import { defined } from "../../base/defined.ts";

/** The options whose enforcement depends on the machine. */
const MACHINE_OPTIONS = [
  "user",
  "group",
  "nice",
  "oomScoreAdj",
  "isolation",
  "rlimits",
  "cgroupLimits",
  "allowNewPrivileges",
] as const satisfies readonly (keyof JobOptions)[];

/** The options of a supervisor that admission depends on. */
export interface AdmissionOptions extends Limits {
  /** Present when job hosts run the jobs. A host checks what depends on the machine. */
  readonly hosts?: JobHosts;
  /** Absent: this supervisor cannot enforce limits of cgroups. */
  readonly cgroups?: CgroupTree;
  /** Present when an engine can place jobs. */
  readonly placing?: Placing;
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
  checkAllowed(job, options);
  checkEngine(job, options.placing, applyLimits({}, options).cgroupLimits);
  if (options.hosts === undefined) checkHost(hostCheckOf(job, options), options.cgroups);
  if (running !== undefined) checkRunning(job.owner, running, options);
}

/**
 * Refuses a job that the options of the supervisor forbid.
 *
 * @throws {NotEnforceableError} when the supervisor does not allow an option
 */
function checkAllowed(job: JobOptions, options: Limits): void {
  if (job.allowNewPrivileges && options.newPrivileges === "DENIED") throw new NotEnforceableError(NO_NEW_PRIVILEGES);
  if (job.inheritEnv && Object.keys(options.inheritableEnv ?? {}).length === 0) {
    throw new NotEnforceableError("Cannot let a job inherit variables: this server has none for its jobs");
  }
}

/** Returns the abilities that a job needs of the machine that runs it. */
function hostCheckOf(job: JobOptions, options: Limits): HostCheck {
  const { cwd = DEFAULT_CWD, cgroupLimits } = job;
  const { noNewPrivileges } = processOptions(job, options);
  return { options: job, cwd, noNewPrivileges, ...defined({ cgroupLimits }) };
}

/**
 * Returns what a job host must check before a job is registered. Undefined when no option depends on the machine. A start
 * is checked by the host itself.
 *
 * @param job the options of the job, with the limits of the supervisor applied
 */
export function hostCheckBefore(job: JobOptions, options: Limits): HostCheck | undefined {
  return MACHINE_OPTIONS.some((name) => job[name] !== undefined) ? hostCheckOf(job, options) : undefined;
}

/** Returns the check of the default and maximum limits by a job host. Undefined when there is nothing to check. */
export function defaultsCheck(options: Limits & { readonly cwd?: string }): HostCheck | undefined {
  const { cgroupLimits } = applyLimits({}, options);
  if (cgroupLimits === undefined) return undefined;
  return { options: {}, cwd: options.cwd ?? DEFAULT_CWD, noNewPrivileges: false, cgroupLimits };
}

/**
 * Refuses default and maximum limits that no job here can have, so that a supervisor reports them once and not per job.
 *
 * @throws {NotEnforceableError} when one of them cannot be enforced
 */
export function checkDefaults(options: AdmissionOptions & { readonly cwd?: string }): void {
  if (options.hosts !== undefined) return; // A host checks them.
  const { cgroupLimits = {} } = applyLimits({}, options);
  checkCgroupLimits(cgroupLimits, options.cwd ?? DEFAULT_CWD, options.cgroups);
}

/**
 * Refuses a start when enough jobs run.
 *
 * @throws {LimitReachedError} when no more jobs may run
 */
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
