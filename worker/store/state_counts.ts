/** Counts the stored jobs in each state. */
import type { State } from "../process/state.ts";

/** The number of jobs in each state. */
export class StateCounts {
  readonly #counts: Record<State, number> = {
    INITIAL: 0,
    STARTING: 0,
    RUNNING: 0,
    STOPPING: 0,
    EXITED: 0,
    KILLED: 0,
    FAILED: 0,
    LOST: 0,
  };

  /** @param counts the numbers to start with; a state without a number has no jobs */
  constructor(counts: Readonly<Partial<Record<State, number>>>) {
    Object.assign(this.#counts, counts);
  }

  /** Counts a job that changed its state. Without `from` it is a new job, without `to` a removed one. */
  change(from: State | undefined, to: State | undefined): void {
    if (from !== undefined) this.#counts[from] -= 1;
    if (to !== undefined) this.#counts[to] += 1;
  }

  /** Returns a copy of the numbers by state. */
  byState(): Readonly<Record<State, number>> {
    return { ...this.#counts };
  }

  /** The number of all jobs. */
  get total(): number {
    return Object.values(this.#counts).reduce((sum, jobs) => sum + jobs, 0);
  }
}
