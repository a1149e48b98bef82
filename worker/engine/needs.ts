/** Says which jobs go to an engine, and what an engine must know of a job. */
import type { JobOptions, JobSpec } from "../job/spec.ts";
import type { Needs } from "./engine.ts";
import type { Placing } from "./placing.ts";

/** Returns true for a job that the engine places. */
export function goesToEngine(_options: JobOptions, placing: Placing | undefined): boolean {
  return placing?.isDefault === true;
}

/** Returns what a job needs of its machine. */
export function needsOf(_job: JobOptions, defaults: Pick<Needs, "partition" | "account">): Needs {
  return { ...defaults };
}

/** Returns a job without what the engine itself enforces. */
export function hostSpec(spec: JobSpec): JobSpec {
  return spec;
}
