/** The request that a job was made by, so that the same can be registered again. */
import type { JobOptions, JobSpec } from "../job/spec.ts";
import { DEFAULT_CWD } from "../launch/command.ts";
import { digestOf } from "../job/digest.ts";
import { applyLimits } from "./job_limits.ts";
import type { SupervisorOptions } from "./options.ts";

/** The arguments of `Supervisor.add()`. */
export interface AddedJob {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: JobOptions;
}

/**
 * Returns the command and the options of a job, without the values that the supervisor gives to every job. A rule may not
 * allow its user to ask for those.
 */
export function addedJob(spec: JobSpec, supervisor: SupervisorOptions): AddedJob {
  const { id: _id, registeredAt: _at, requestId: _request, command, args, ...options } = spec;
  const { timeoutMs, rlimits, cgroupLimits } = applyLimits({}, supervisor);
  const { outputLimit, cwd = DEFAULT_CWD } = supervisor;
  return { command, args, options: without(options, { timeoutMs, rlimits, cgroupLimits, outputLimit, cwd }) };
}

/** Returns the values that differ from others. Limits are compared one by one. */
function without(values: JobOptions, others: JobOptions | Readonly<Record<string, unknown>>): JobOptions {
  const asked = Object.entries(values).flatMap(([name, value]) => {
    const other = (others as Readonly<Record<string, unknown>>)[name];
    if (other === undefined) return [[name, value]];
    if (digestOf([value]) === digestOf([other])) return [];
    const isGroup = name === "rlimits" || name === "cgroupLimits";
    return [[name, isGroup ? without(value as JobOptions, other as JobOptions) : value]];
  });
  return Object.fromEntries(asked);
}
