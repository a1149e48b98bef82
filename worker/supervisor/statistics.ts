/** Counts what the jobs of a supervisor do, for monitoring: starts, ends by reason, and bytes of output. */
import { isRunningState, type ProcessStatus, type Reason, type State } from "../process/state.ts";
import type { StatusDetails } from "../job/status_details.ts";

/** The figures of a supervisor at one moment. Counters start at 0 with the supervisor and never decrease. */
export interface SupervisorStatistics {
  /** The number of jobs in each state. */
  readonly jobs: Readonly<Record<State, number>>;
  /** The number of running jobs: those in STARTING, RUNNING and STOPPING. */
  readonly running: number;
  /** The watchers of the status or the output of single jobs. */
  readonly watchers: number;
  /** The jobs that were started, failed starts included. */
  readonly starts: number;
  /** The ended jobs by reason. */
  readonly ends: Readonly<Partial<Record<Reason, number>>>;
  /** The bytes that jobs wrote to stdout and stderr, dropped bytes included. */
  readonly outputBytes: number;
  /** The bytes that jobs and their output use on the disk. */
  readonly diskBytes: number;
  /** The limit of `diskBytes`. `Infinity` when there is none. */
  readonly maxDiskBytes: number;
}

/** Returns the number of running jobs. */
export function countRunning(jobs: Readonly<Record<State, number>>): number {
  return Object.entries(jobs).reduce((sum, [state, count]) => isRunningState(state as State) ? sum + count : sum, 0);
}

/** Counts the changes of jobs as the store writes them. */
export class JobCounters {
  #starts = 0;
  #outputBytesOfEnded = 0;
  readonly #ends: Partial<Record<Reason, number>> = {};

  /** Counts one change of a job. */
  count(status: ProcessStatus, { output }: StatusDetails): void {
    if (status.state === "STARTING") this.#starts += 1;
    if (!("reason" in status)) return;
    this.#ends[status.reason] = (this.#ends[status.reason] ?? 0) + 1;
    if (output !== undefined) this.#outputBytesOfEnded += output.totals.stdoutBytes + output.totals.stderrBytes;
  }

  /**
   * Returns the counters now.
   *
   * @param running the output of the jobs whose end is not counted yet
   */
  now(
    running: Iterable<{ readonly stdoutBytes: number; readonly stderrBytes: number }>,
  ): Pick<SupervisorStatistics, "starts" | "ends" | "outputBytes"> {
    let outputBytes = this.#outputBytesOfEnded;
    for (const { stdoutBytes, stderrBytes } of running) outputBytes += stdoutBytes + stderrBytes;
    return { starts: this.#starts, ends: { ...this.#ends }, outputBytes };
  }
}
