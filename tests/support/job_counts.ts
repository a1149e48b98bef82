/** Sums the statistics of a supervisor: its jobs, its running jobs, and their watchers. */
import type { Supervisor } from "../../mod.ts";

/** Returns how many jobs a supervisor has, how many of them run, and how many watchers they have. */
export async function jobCounts(
  supervisor: Supervisor,
): Promise<{ readonly jobs: number; readonly running: number; readonly watchers: number }> {
  const { jobs: byState, running, watchers } = await supervisor.statistics();
  const jobs = Object.values(byState).reduce((sum, count) => sum + count, 0);
  return { jobs, running, watchers };
}
