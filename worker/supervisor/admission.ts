/** What a supervisor holds its jobs to, whatever they ask for: defaults, maxima, how many run, and what they may gain. */
import { CGROUP_LIMITS, type CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { RLIMIT_NAMES, RLIMITS } from "../../base/job_options/rlimits.ts";
import { checkCommand, checkJobOptions } from "../launch/command.ts";
import { InvalidArgumentError, LimitReachedError, NotEnforceableError } from "../errors.ts";
import { checkEnforceable, gainsNoPrivileges } from "../launch/host.ts";
import type { AnyJob } from "../job/any_job.ts";
import type { JobOptions } from "../job/spec.ts";
import { defined } from "../../base/defined.ts";

/** Limits of a job; what is absent is not limited. */
export type JobLimits = Pick<JobOptions, "timeoutMs" | "rlimits" | "cgroupLimits">;

/** What the jobs of a supervisor are held to. */
export interface Limits {
  /** Of a job that does not say. */
  readonly defaultLimits?: JobLimits;
  /** The most that a job may ask for; one that says nothing and has no default gets this. */
  readonly maxLimits?: JobLimits;
  /** How many jobs run at a time; no limit unless given. */
  readonly maxRunning?: number;
  /** How many jobs of one owner run at a time; no limit unless given. */
  readonly maxRunningPerOwner?: number;
  /**
   * `DENIED`: no program of a job may gain privileges, as set-user-id programs do; prctl(2), PR_SET_NO_NEW_PRIVS.
   * `ON_REQUEST`: those of a job that asks for it may. Absent: they all may, as the supervisor's own.
   */
  readonly newPrivileges?: "DENIED" | "ON_REQUEST";
  /** Variables for those jobs that ask to inherit the environment. */
  readonly inheritableEnv?: Readonly<Record<string, string>>;
}

/** @throws {InvalidArgumentError} when a limit cannot be */
export function checkLimits({ defaultLimits = {}, maxLimits = {}, ...limits }: Limits): void {
  for (const some of [defaultLimits, maxLimits]) checkJobOptions(some);
  checkAtMost(defaultLimits, maxLimits);
  checkCommand("true", [], { env: limits.inheritableEnv ?? {} });
  for (const count of [limits.maxRunning, limits.maxRunningPerOwner]) {
    if (count === undefined || (Number.isSafeInteger(count) && count >= 1)) continue;
    throw new InvalidArgumentError(`Invalid number of running jobs "${count}": give at least 1, or none`);
  }
}

/**
 * A job's options with the defaults and maxima of its supervisor.
 *
 * @throws {InvalidArgumentError} when it asks for more than the most
 */
export function withLimits(options: JobOptions, { defaultLimits = {}, maxLimits = {} }: Limits): JobOptions {
  checkAtMost(options, maxLimits);
  // 0 and nothing mean the same to a timeout.
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

/** The limits of a cgroup that are amounts. */
const AMOUNTS: readonly Exclude<keyof CgroupLimits, "ioPath">[] = [
  "maxMemoryBytes",
  "maxCpus",
  "maxProcesses",
  "maxReadBytesPerS",
  "maxWriteBytesPerS",
];

function checkAtMost({ timeoutMs, rlimits = {}, cgroupLimits = {} }: JobLimits, max: JobLimits): void {
  for (const name of AMOUNTS) {
    const [value, most] = [cgroupLimits[name], max.cgroupLimits?.[name]];
    if (value !== undefined && most !== undefined && value > most) throw tooMuch(CGROUP_LIMITS[name].noun, value, most);
  }
  if (max.timeoutMs && timeoutMs !== undefined && timeoutMs > max.timeoutMs) {
    throw tooMuch("timeout in milliseconds", timeoutMs, max.timeoutMs);
  }
  for (const name of RLIMIT_NAMES) {
    const [value, most] = [rlimits[name], max.rlimits?.[name]];
    if (value !== undefined && most !== undefined && value > most) throw tooMuch(RLIMITS[name].noun, value, most);
  }
}

function tooMuch(noun: string, value: number, most: number): InvalidArgumentError {
  return new InvalidArgumentError(`The ${noun} must be at most ${most} on this server, got ${value}`);
}

/** What of a job's options depends on the supervisor: as which privileges it has, and which variables it begins with. */
export function processOptions(
  options: JobOptions,
  { newPrivileges, inheritableEnv }: Limits,
  env: Readonly<Record<string, string>> = {},
): { readonly noNewPrivileges: boolean; readonly baseEnv: Readonly<Record<string, string>> } {
  const noNewPrivileges = options.noNewPrivileges || (newPrivileges !== undefined && !options.allowNewPrivileges);
  return { noNewPrivileges, baseEnv: { ...(options.inheritEnv ? inheritableEnv : {}), ...env } };
}

/**
 * Refuses what a job asks for and cannot have here and now.
 *
 * @throws {NotEnforceableError} with the reason
 */
export function checkPossible(options: JobOptions, limits: Limits): void {
  if (options.allowNewPrivileges && (limits.newPrivileges === "DENIED" || gainsNoPrivileges())) {
    throw new NotEnforceableError("Cannot let a job gain privileges here: the server and all its jobs gain none");
  }
  if (options.inheritEnv && Object.keys(limits.inheritableEnv ?? {}).length === 0) {
    throw new NotEnforceableError("Cannot let a job inherit variables here: the server has none to lend");
  }
  checkEnforceable({ ...options, ...processOptions(options, limits) });
}

/**
 * Refuses to start one job more than may run.
 *
 * @param running those that run
 * @throws {LimitReachedError} naming the limit
 */
export function checkRunning(
  owner: string | undefined,
  running: readonly AnyJob[],
  { maxRunning, maxRunningPerOwner }: Limits,
): void {
  if (maxRunning !== undefined && running.length >= maxRunning) {
    throw new LimitReachedError(`Cannot run more than "${maxRunning}" jobs at a time: wait for one to end`);
  }
  const own = running.filter((job) => job.spec.owner === owner).length;
  if (maxRunningPerOwner !== undefined && own >= maxRunningPerOwner) {
    throw new LimitReachedError(
      `Cannot run more than "${maxRunningPerOwner}" jobs of one user at a time: wait for one to end`,
    );
  }
}
