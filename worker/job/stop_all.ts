/** Stops all jobs, because the program that runs them ends. */
import { deadline } from "../../base/deadline.ts";
import type { StopOptions } from "../process/options.ts";

/**
 * The wait after the last grace period for the ends of the jobs, in milliseconds. The kernel may hold a process for
 * longer, for example because of a dead disk. The next program then ends the process.
 */
const STUCK_MS = 10_000;

/** A job that can be stopped. */
export interface StoppableJob {
  readonly isRunningState: boolean;
  readonly graceMs: number;
  /** Stops the job. Resolves when it has ended. */
  stop(options: StopOptions): Promise<unknown>;
}

/**
 * Stops running jobs with reason `SHUTDOWN`. Resolves when they have ended, at the latest ten seconds after the last
 * grace period. A second call may shorten the grace period of the first.
 *
 * @param graceMs the grace period in milliseconds; absent: the grace period of each job
 */
export async function stopAll(jobs: readonly StoppableJob[], graceMs: number | undefined): Promise<void> {
  const running = jobs.filter((job) => job.isRunningState);
  const stops = running.map((job) => job.stop({ reason: "SHUTDOWN", graceMs: graceMs ?? job.graceMs }));
  const longestGraceMs = Math.max(0, ...running.map((job) => graceMs ?? job.graceMs));
  // A job that cannot be stopped was reported. Its next recovery finds it LOST.
  await deadline(Promise.allSettled(stops), longestGraceMs + STUCK_MS);
}
