/** Checks whether a machine can run a job as its options say. Used at the registration of a job and at its start. */
import type { CgroupTree } from "../cgroup/tree.ts";
import { checkCgroupLimits } from "../cgroup/refusal.ts";
import { NotEnforceableError } from "../errors.ts";
import { checkEnforceable, gainsNoPrivileges } from "../launch/host.ts";
import type { HostCheck } from "./link.ts";

/** The refusal of a job that asks for new privileges. */
export const NO_NEW_PRIVILEGES = "Cannot let a job gain privileges: neither this server nor any of its jobs may";

/**
 * Checks everything except the isolation, whose check takes time.
 *
 * @param cgroups the cgroups of jobs; absent: there are none
 * @throws {NotEnforceableError} when an option cannot be enforced here, with the reason
 */
export function checkHost({ options, cwd, noNewPrivileges, cgroupLimits = {} }: HostCheck, cgroups?: CgroupTree): void {
  if (options.allowNewPrivileges && gainsNoPrivileges()) throw new NotEnforceableError(NO_NEW_PRIVILEGES);
  checkEnforceable({ ...options, noNewPrivileges });
  checkCgroupLimits(cgroupLimits, cwd, cgroups);
}
