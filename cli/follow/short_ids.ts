/**
 * The shortest beginning of each id that names one job, see `resolve.ts`. The first 13 characters of an id are the
 * millisecond in which it was made. A later job never has the same, so what is shown stays unique. The first 18 have a
 * counter too, so no two jobs of a server share them.
 */
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS } from "../context.ts";

/** The characters of an id that are its millisecond. */
export const MIN_LENGTH = 13;
const SAFE_LENGTH = 18;

/** The most jobs of the one call that looks for neighbours. */
const MAX_NEIGHBOURS = 1_000;

/** The room for a clock that was read later than the id was made, in seconds. */
const CLOCK_ROOM_S = 5;

/**
 * Returns a function from an id to its shown part.
 *
 * @param jobs the shown jobs
 * @param options.isComplete true when these are all jobs of the time between them. Else one call asks for the others
 */
export async function shortIds(
  calls: Pick<JobWorkerClient, "List">,
  jobs: readonly JobStatus[],
  { isComplete }: { readonly isComplete: boolean },
): Promise<(id: string) => string> {
  const others = isComplete ? [] : await neighbours(calls, jobs);
  const ids = [...new Set([...jobs.map(({ id }) => id), ...others ?? []])].sort();
  const minLength = others === undefined ? SAFE_LENGTH : MIN_LENGTH;
  const lengths = new Map<string, number>();
  for (const [at, id] of ids.entries()) {
    const shared = Math.max(...[ids[at - 1], ids[at + 1]].map((other) => sharedLength(id, other)));
    lengths.set(id, Math.max(minLength, shared + 1));
  }
  return (id) => id.slice(0, lengths.get(id) ?? id.length);
}

/** Returns the ids of all jobs that were registered between the shown ones. Undefined when they are too many for a call. */
async function neighbours(
  calls: Pick<JobWorkerClient, "List">,
  jobs: readonly JobStatus[],
): Promise<string[] | undefined> {
  const seconds = jobs.flatMap(({ registered_at }) => registered_at?.seconds ?? []).sort((a, b) => a - b);
  const [first, last] = [seconds[0], seconds.at(-1)];
  if (first === undefined || last === undefined) return [];
  try {
    const page = await calls.List({
      registered_since: { seconds: first - CLOCK_ROOM_S, nanos: 0 },
      registered_until: { seconds: last + CLOCK_ROOM_S, nanos: 0 },
      page_size: MAX_NEIGHBOURS,
    }, { deadlineMs: CALL_DEADLINE_MS });
    return page.next_page_token === "" ? page.jobs.map(({ id }) => id) : undefined;
  } catch {
    // The list itself has arrived. Longer ids need no second call.
    return undefined;
  }
}

function sharedLength(a: string, b: string | undefined): number {
  if (b === undefined) return 0;
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
