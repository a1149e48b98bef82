/** Combines what decides about the health of a server. */

/** The facts that make a server NOT_SERVING. */
interface Facts {
  readonly hostsAnswer: boolean;
  readonly isStopping: boolean;
  /** False while the data directory is gone. */
  readonly hasDirectory: boolean;
}

/** The health of a server. */
export class ServingState {
  #facts: Facts = { hostsAnswer: true, isStopping: false, hasDirectory: true };
  #report: ((isServing: boolean) => void) | undefined;

  /** Reports the health now, and each change of the facts. */
  report(report: (isServing: boolean) => void): void {
    this.#report = report;
    this.set({});
  }

  /** Changes facts. */
  set(facts: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...facts };
    const { hostsAnswer, isStopping, hasDirectory } = this.#facts;
    this.#report?.(hostsAnswer && !isStopping && hasDirectory);
  }
}
