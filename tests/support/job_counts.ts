/** Sums the statistics of a supervisor: its jobs, its running jobs, and their watchers. */
import type { Supervisor } from "../../mod.ts";
import { isRunningState, type State } from "../../worker/process/state.ts";

/** Returns how many jobs a supervisor has, how many of them run, and how many watchers they have. */
export async function jobCounts(
  supervisor: Supervisor,
): Promise<{ readonly jobs: number; readonly running: number; readonly watchers: number }> {
  const { jobs: byState, watchers } = await supervisor.statistics();
  let jobs = 0;
  let running = 0;
  for (const [state, count] of Object.entries(byState)) {
    jobs += count;
    if (isRunningState(state as State)) running += count;
  }
  return { jobs, running, watchers };
}
