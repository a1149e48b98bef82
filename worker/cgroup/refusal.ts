/** Refuses limits that no cgroup here can enforce. */
import type { CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { NotEnforceableError } from "../errors.ts";
import { controllersOf, LIMITED } from "./limits.ts";
import type { CgroupTree } from "./tree.ts";

/**
 * Checks whether the limits of a job can be enforced.
 *
 * @param cwd the working directory of the job
 * @param cgroups the cgroups of jobs; absent: there are none
 * @throws {NotEnforceableError} when a limit cannot be enforced, with the reason
 */
export function checkCgroupLimits(limits: CgroupLimits, cwd: string, cgroups?: CgroupTree): void {
  if (controllersOf(limits).length === 0) return;
  if (cgroups === undefined) refuseCgroupLimits(limits);
  cgroups.check(limits, cwd);
}

/** @throws {NotEnforceableError} always, because jobs have no cgroups */
export function refuseCgroupLimits(limits: CgroupLimits): never {
  const what = controllersOf(limits).map((controller) => LIMITED[controller]).join(" and ");
  throw new NotEnforceableError(`Cannot limit ${what} on this server: it has no cgroups`);
}
