/** What a request to register asks for, in the library's words. */
import { InvalidArgumentError, type JobOptions } from "../../mod.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { cgroupLimitsOf } from "./cgroup_limits.ts";
import { isolationOf, limitOf } from "./messages.ts";
import { rlimitsOf } from "./rlimits.ts";
import { defined } from "../../base/defined.ts";

/** A higher priority than the server's own is not for its clients. */
const MAX_NICE = 19;

/**
 * The options of a job.
 *
 * @param owner the user who registers it
 * @throws {InvalidArgumentError} for what no job can have
 */
export function jobOptionsOf(request: wire.JobRequest, owner: string): JobOptions {
  const { env, labels, timeout_ms, cwd, request_id, grace_ms, user, group, umask, nice, rlimits } = request;
  const outputLimit = limitOf(request);
  const isolation = isolationOf(request.isolation);
  if (nice > MAX_NICE) {
    throw new InvalidArgumentError(`Invalid niceness "${nice}": give a whole number from 0 to ${MAX_NICE}`);
  }
  return {
    env,
    labels,
    owner,
    timeoutMs: timeout_ms,
    ...defined({ outputLimit }),
    ...(request.input ? { input: true } : {}),
    ...(cwd === "" ? {} : { cwd }),
    ...(request_id === "" ? {} : { requestId: request_id }),
    ...defined({ graceMs: grace_ms }),
    ...(user === "" ? {} : { user }),
    ...(group === "" ? {} : { group }),
    ...defined({ umask }),
    ...(nice === 0 ? {} : { nice }),
    ...(rlimits === null ? {} : { rlimits: rlimitsOf(rlimits) }),
    ...defined({ isolation }),
    ...(request.cgroup_limits === null ? {} : { cgroupLimits: cgroupLimitsOf(request.cgroup_limits) }),
    ...(request.allow_new_privileges ? { allowNewPrivileges: true } : {}),
    ...(request.inherit_env ? { inheritEnv: true } : {}),
  };
}
