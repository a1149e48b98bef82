/** The limits that a supervisor sets for its jobs: defaults, maximums, and how a job's own limits combine with them. */
import { CGROUP_AMOUNTS, CGROUP_LIMITS } from "../../base/job_options/cgroup_limits.ts";
import type { Notation } from "../../base/job_options/descriptor.ts";
import { JOB_OPTIONS } from "../../base/job_options/table.ts";
import { RLIMIT_NAMES, RLIMITS } from "../../base/job_options/rlimits.ts";
import { checkCommand, checkJobOptions } from "../launch/command.ts";
import { InvalidArgumentError } from "../errors.ts";
import type { JobOptions } from "../job/spec.ts";
import { formatBound } from "../../base/number_text.ts";
import { defined } from "../../base/defined.ts";

/** The limits of one job. An absent limit is not enforced. */
export type JobLimits = Pick<JobOptions, "timeoutMs" | "rlimits" | "cgroupLimits">;

/** The limits and privileges that a supervisor gives its jobs. */
export interface Limits {
  /** The limits of a job that sets none. */
  readonly defaultLimits?: JobLimits;
  /** The largest limits that a job may set. They also apply where neither the job nor `defaultLimits` sets a limit. */
  readonly maxLimits?: JobLimits;
  /** The number of jobs that may run at a time. Absent: no limit. */
  readonly maxRunning?: number;
  /** The number of jobs of one owner that may run at a time. Absent: no limit. */
  readonly maxRunningPerOwner?: number;
  /**
   * Whether programs of a job may gain privileges, as set-user-id programs do; prctl(2), PR_SET_NO_NEW_PRIVS.
   * `DENIED`: never. `ON_REQUEST`: only in jobs with `allowNewPrivileges`. Absent: always, as for the supervisor itself.
   */
  readonly newPrivileges?: "DENIED" | "ON_REQUEST";
  /** The environment variables for jobs with `inheritEnv`. */
  readonly inheritableEnv?: Readonly<Record<string, string>>;
}

/**
 * Checks the limits of a supervisor.
 *
 * @throws {InvalidArgumentError} when a limit is invalid, or a default exceeds its maximum
 * @example
 * ```ts
 * import { checkLimits } from "@teleport/worker";
 *
 * checkLimits({ maxRunning: 8, defaultLimits: { timeoutMs: 60_000 } });
 * ```
 */
export function checkLimits({ defaultLimits = {}, maxLimits = {}, ...limits }: Limits): void {
  for (const jobLimits of [defaultLimits, maxLimits]) checkJobOptions(jobLimits);
  checkMaximums(defaultLimits, maxLimits);
  checkCommand("true", [], { env: limits.inheritableEnv ?? {} });
  for (const count of [limits.maxRunning, limits.maxRunningPerOwner]) {
    if (count === undefined || (Number.isSafeInteger(count) && count >= 1)) continue;
    throw new InvalidArgumentError(`The number of running jobs must be an integer from 1, got ${count}`);
  }
}

/**
 * Returns the options of a job with the defaults and maximums of its supervisor.
 *
 * @throws {InvalidArgumentError} when a limit of the job exceeds its maximum
 */
export function applyLimits(options: JobOptions, { defaultLimits = {}, maxLimits = {} }: Limits): JobOptions {
  checkMaximums(options, maxLimits);
  // A timeout of 0 means no timeout, so the default replaces it.
  const timeoutMs = options.timeoutMs || defaultLimits.timeoutMs || maxLimits.timeoutMs;
  const rlimits = { ...maxLimits.rlimits, ...defaultLimits.rlimits, ...options.rlimits };
  const cgroupLimits = { ...maxLimits.cgroupLimits, ...defaultLimits.cgroupLimits, ...options.cgroupLimits };
  return {
    ...options,
    ...defined({ timeoutMs }),
    ...(Object.keys(rlimits).length === 0 ? {} : { rlimits }),
    ...(Object.keys(cgroupLimits).length === 0 ? {} : { cgroupLimits }),
  };
}

function checkMaximums({ timeoutMs, rlimits = {}, cgroupLimits = {} }: JobLimits, max: JobLimits): void {
  for (const name of CGROUP_AMOUNTS) checkMaximum(CGROUP_LIMITS[name], cgroupLimits[name], max.cgroupLimits?.[name]);
  checkMaximum(JOB_OPTIONS.timeoutMs, timeoutMs, max.timeoutMs || undefined);
  for (const name of RLIMIT_NAMES) checkMaximum(RLIMITS[name], rlimits[name], max.rlimits?.[name]);
}

function checkMaximum(
  { noun, notation }: { readonly noun: string; readonly notation: Notation },
  value: number | undefined,
  max: number | undefined,
): void {
  if (value === undefined || max === undefined || value <= max) return;
  const [most, given] = [formatBound(max, notation), formatBound(value, notation)];
  throw new InvalidArgumentError(`The ${noun} must be at most ${most} on this server, got ${given}`);
}
