/** The findings of a run on the host: each promise with what was seen. */

/** Collects findings and prints each at once. */
export class Report {
  #held = 0;
  #failed = 0;

  /** Prints one finding. Line feeds in `saw` become bars. */
  finding(name: string, holds: boolean, saw: string): void {
    if (holds) this.#held++;
    else this.#failed++;
    console.log(`${holds ? "ok    " : "FAILED"} ${name}: ${saw.trim().replaceAll(/\s*\n\s*/g, " | ")}`);
  }

  /** Prints that something was not tried, and why. */
  skipped(name: string, reason: string): void {
    console.log(`skip   ${name}: ${reason}`);
  }

  /** Whether every promise held. */
  get isClean(): boolean {
    return this.#failed === 0;
  }

  /** The counts, as the last line of a test run has them. */
  get summary(): string {
    return `host: ${this.#held} passed, ${this.#failed} failed`;
  }
}
