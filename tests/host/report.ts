/** The findings of a run on the host: each promise with what was seen. */

/** Collects findings and prints each at once. */
export class Report {
  #held = 0;
  #failed = 0;
  #previous = performance.now();

  /** Prints one finding, and the time since the one before. Line feeds in `saw` become bars. */
  finding(name: string, holds: boolean, saw: string): void {
    if (holds) this.#held++;
    else this.#failed++;
    const now = performance.now();
    const time = `${((now - this.#previous) / 1_000).toFixed(0)} s`;
    this.#previous = now;
    console.log(`${holds ? "ok    " : "FAILED"} ${name} (${time}): ${saw.trim().replaceAll(/\s*\n\s*/g, " | ")}`);
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
