/** Says which jobs go to an engine, and what an engine must know of a job. */
import { CGROUP_LIMITS, type CgroupLimits } from "../../base/job_options/cgroup_limits.ts";
import { defined } from "../../base/defined.ts";
import { quote } from "../../base/quote.ts";
import { NotEnforceableError } from "../errors.ts";
import type { JobOptions, JobSpec } from "../job/spec.ts";
import { DEFAULT_GRACE_MS } from "../launch/command.ts";
import type { Needs } from "./engine.ts";
import type { Placing } from "./placing.ts";

/** The name of the supervisor's own machine as an engine. */
const LOCAL = "local";

/** The limits of all processes together that an engine enforces. */
const HELD_LIMITS: ReadonlySet<string> = new Set<keyof CgroupLimits>(["maxCpus", "maxMemoryBytes"]);

/** Returns true for a job that the engine places. */
export function goesToEngine(options: JobOptions, placing: Placing | undefined): boolean {
  return placing !== undefined && engineOf(options, placing) === placing.engine.name;
}

/**
 * Returns the engine of a job, which its spec keeps: another default of a later server does not move it. Undefined where
 * the supervisor has no engine.
 */
export function engineOf({ engine }: JobOptions, placing: Placing | undefined): string | undefined {
  if (placing === undefined) return undefined;
  return engine ?? (placing.isDefault ? placing.engine.name : LOCAL);
}

/**
 * Refuses what the engine of a job cannot do.
 *
 * @param options with the limits of the supervisor applied
 * @param serverLimits the limits that the supervisor gives to every job, which no user can leave out
 * @param uid the user of the supervisor, as whom the engine runs jobs
 * @throws {NotEnforceableError} when this supervisor has no such engine, or the engine cannot enforce an option
 */
export function checkEngine(
  options: JobOptions,
  placing: Placing | undefined,
  serverLimits: CgroupLimits = {},
  uid: number | null = Deno.uid(),
): void {
  const { engine = LOCAL, partition, nodeConstraint, cgroupLimits = {}, user, group } = options;
  if (goesToEngine(options, placing)) {
    const name = placing?.engine.name;
    if ((user !== undefined || group !== undefined) && uid !== 0) {
      const what = `Cannot run a job as another ${user === undefined ? "group" : "user"} on a node of ${name}`;
      throw new NotEnforceableError(`${what}: jobs there run as the user of this server, which is not root`);
    }
    for (const limit of Object.keys(CGROUP_LIMITS) as (keyof CgroupLimits)[]) {
      if (HELD_LIMITS.has(limit) || cgroupLimits[limit] === undefined) continue;
      const what = `Cannot enforce the ${CGROUP_LIMITS[limit].noun} on a node of ${name}`;
      throw new NotEnforceableError(
        cgroupLimits[limit] === serverLimits[limit]
          ? `${what}: this server has it for every job: use engine local, or ask the server's operator to remove it`
          : `${what}: leave it out, or use engine local`,
      );
    }
    return;
  }
  if (engine !== LOCAL) {
    const known = placing === undefined ? LOCAL : `${LOCAL} and ${placing.engine.name}`;
    throw new NotEnforceableError(`Cannot run a job with engine ${quote(engine)}: this server has ${known}`);
  }
  const extra = partition === undefined ? nodeConstraint && "a node constraint" : "a partition";
  if (extra) throw new NotEnforceableError(`Cannot use ${extra} here: the job runs on the server's own machine`);
}

/** Returns what a job needs of its machine. */
export function needsOf(job: JobOptions, defaults: Pick<Needs, "partition" | "account">): Needs {
  const { maxCpus, maxMemoryBytes } = job.cgroupLimits ?? {};
  const runMs = job.timeoutMs ? job.timeoutMs + (job.graceMs ?? DEFAULT_GRACE_MS) : undefined;
  return {
    ...defaults,
    ...defined({
      cpus: maxCpus,
      memoryBytes: maxMemoryBytes,
      runMs,
      constraint: job.nodeConstraint,
    }),
    ...defined({ partition: job.partition ?? defaults.partition }),
  };
}

/** Returns a job without what the engine itself enforces, and without what only the engine understands. */
export function hostSpec(spec: JobSpec): JobSpec {
  const { cgroupLimits: _cgroupLimits, engine: _engine, partition: _partition, nodeConstraint: _constraint, ...rest } =
    spec;
  return rest;
}
