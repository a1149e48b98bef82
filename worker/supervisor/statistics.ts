/** Counts what the jobs of a supervisor do, for monitoring: starts, ends by reason, and bytes of output. */
import type { ProcessStatus, Reason, State } from "../process/state.ts";
import type { StatusDetails } from "../store/rows.ts";

/** Figures of a supervisor at one moment. Counters begin at 0 when the supervisor is made and never go down. */
export interface SupervisorStatistics {
  /** Kept jobs by state. */
  readonly jobs: Readonly<Record<State, number>>;
  /** Watchers of the status or output of single jobs. */
  readonly watchers: number;
  /** Jobs that were started, failed starts included. */
  readonly starts: number;
  /** Ended jobs by reason. */
  readonly ends: Readonly<Partial<Record<Reason, number>>>;
  /** Bytes that jobs wrote to stdout and stderr, dropped bytes included. */
  readonly outputBytes: number;
  /** Bytes that jobs and their output take on the disk, and the most that they may take; `Infinity` without a bound. */
  readonly diskBytes: number;
  readonly maxDiskBytes: number;
}

/** Counts the changes of jobs as they are written to the store. */
export class JobCounters {
  #starts = 0;
  #outputBytesOfEnded = 0;
  readonly #ends: Partial<Record<Reason, number>> = {};

  /** Counts one change of a job's status. */
  count(status: ProcessStatus, { output }: StatusDetails): void {
    if (status.state === "STARTING") this.#starts += 1;
    if (!("reason" in status)) return;
    this.#ends[status.reason] = (this.#ends[status.reason] ?? 0) + 1;
    if (output !== undefined) this.#outputBytesOfEnded += output.totals.stdoutBytes + output.totals.stderrBytes;
  }

  /**
   * The counters now.
   *
   * @param running output of the jobs whose end was not counted yet
   */
  now(
    running: Iterable<{ readonly stdoutBytes: number; readonly stderrBytes: number }>,
  ): Pick<SupervisorStatistics, "starts" | "ends" | "outputBytes"> {
    let outputBytes = this.#outputBytesOfEnded;
    for (const { stdoutBytes, stderrBytes } of running) outputBytes += stdoutBytes + stderrBytes;
    return { starts: this.#starts, ends: { ...this.#ends }, outputBytes };
  }
}
