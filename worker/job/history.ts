/** The statuses that one job had, and the callers that wait for the next one. */
import { isFinalState, type ProcessStatus } from "../process/state.ts";
import { Waiters } from "../waiters.ts";

/** The statuses of one job, oldest first. No state comes twice, so the list is short. */
export class StatusHistory {
  readonly #statuses: ProcessStatus[];
  readonly #waiters = new Waiters();
  /** Why no further status will come although the job has not ended. */
  #abandoned: Error | undefined;
  readonly #outage: () => Error | undefined;
  #readers = 0;

  /** @param outage returns why a next status cannot be known now. Undefined while it can */
  constructor(first: ProcessStatus, outage: () => Error | undefined = () => undefined) {
    this.#statuses = [first];
    this.#outage = outage;
  }

  /** The latest status. */
  get latest(): ProcessStatus {
    return this.#statuses.at(-1) as ProcessStatus; // The list begins with the first status, so it is never empty.
  }

  /** The number of statuses so far. */
  get length(): number {
    return this.#statuses.length;
  }

  /** True once the latest status is final. */
  get isFinal(): boolean {
    return isFinalState(this.latest.state);
  }

  /** The number of iterations that read the history now. */
  get readers(): number {
    return this.#readers;
  }

  /** Adds a status, and wakes the callers that wait for one. */
  add(status: ProcessStatus): void {
    this.#statuses.push(status);
    this.#waiters.wakeAll();
  }

  /** Wakes the callers that wait for a status, because another fact of the latest one has changed. */
  touch(): void {
    this.#waiters.wakeAll();
  }

  /** Ends all waits with an error, because no further status will come. */
  abandon(error: Error): void {
    this.#abandoned = error;
    this.#waiters.wakeAll();
  }

  /**
   * Returns the statuses from an index on, up to the final one, as they come.
   *
   * @param isNews returns true when the latest status is to be read once more
   * @throws the signal's reason when it aborts, the error given to `abandon`, or that of an outage
   */
  async *read(
    from: number,
    signal: AbortSignal,
    isNews: () => boolean = () => false,
  ): AsyncGenerator<ProcessStatus, void, void> {
    this.#readers += 1;
    try {
      for (let index = from;; index++) {
        while (index >= this.#statuses.length) {
          if (this.isFinal) return;
          if (isNews()) yield this.latest;
          else await this.#nextChange(signal);
        }
        yield this.#statuses[index] as ProcessStatus;
        signal.throwIfAborted();
      }
    } finally {
      this.#readers -= 1;
    }
  }

  /**
   * Waits for the final status.
   *
   * @throws the signal's reason when it aborts, the error given to `abandon`, or that of an outage
   */
  async waitForFinal(signal: AbortSignal): Promise<void> {
    while (!this.isFinal) await this.#nextChange(signal);
  }

  async #nextChange(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const error = this.#abandoned ?? this.#outage();
    if (error !== undefined) throw error;
    await this.#waiters.wait(signal);
    signal.throwIfAborted();
    if (this.#abandoned !== undefined) throw this.#abandoned;
  }
}
