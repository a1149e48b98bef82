/** The choice of jobs of a command: by ids and names, or by filters. */
import type { State } from "../../proto/teleport/v1/job_worker.ts";
import { UsageError } from "../../units/usage_error.ts";
import type { Context } from "../context.ts";
import { listJobs } from "../follow/list_jobs.ts";
import { type FilterFlags, filterOf, isFiltering } from "./filter_options.ts";

/** The states of a job that runs. */
export const RUNNING_STATES: readonly State[] = ["STATE_STARTING", "STATE_RUNNING", "STATE_STOPPING"];

/** The states of a job that has not ended. */
export const UNENDED_STATES: readonly State[] = ["STATE_INITIAL", ...RUNNING_STATES];

/**
 * Returns the ids and names that were given, or the ids of all jobs that match the filters.
 *
 * @param states the states that filters select without `--state`. Default: all
 * @throws {UsageError} when both or neither are given
 */
export async function selectJobs(
  { calls, print }: Context,
  texts: readonly string[],
  flags: FilterFlags,
  states: readonly State[] = [],
): Promise<readonly string[]> {
  checkSelection(texts, flags);
  if (texts.length > 0) return texts;
  const ids: string[] = [];
  for await (const page of listJobs(calls, { ...filterOf(flags), states: [...flags.state ?? states] })) {
    ids.push(...page.map(({ id }) => id));
  }
  if (ids.length === 0) await print.note("No job matches the filters");
  return ids;
}

/**
 * Checks the choice before a connection is opened.
 *
 * @throws {UsageError} when both or neither of ids and filters are given
 */
export function checkSelection(texts: readonly string[], flags: FilterFlags): void {
  const isMany = isFiltering(flags);
  if (texts.length === 0 && !isMany) throw new UsageError("Missing jobs: give ids, names, or filters such as --label");
  if (texts.length > 0 && isMany) throw new UsageError("Ids and filters exclude each other: give only one of them");
}
