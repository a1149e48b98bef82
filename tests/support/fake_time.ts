/** Timers and a clock under the control of a test: `setTimeout`, `clearTimeout` and `performance.now()`. */

/** Replaces the clock until it is disposed of. */
export class FakeTime implements Disposable {
  readonly #real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, now: performance.now };
  readonly #waiting = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  #nowMs = 0;
  #nextId = 1;

  constructor() {
    globalThis.setTimeout = ((run: () => void, delayMs: number) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { atMs: this.#nowMs + delayMs, run });
      return id;
    }) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => void this.#waiting.delete(id)) as typeof clearTimeout;
    performance.now = () => this.#nowMs;
  }

  /** The number of timers that wait. */
  get timers(): number {
    return this.#waiting.size;
  }

  /** Moves the clock and runs the timers that are due. */
  pass(ms: number): void {
    this.#nowMs += ms;
    for (const [id, { atMs, run }] of [...this.#waiting]) {
      if (atMs > this.#nowMs) continue;
      this.#waiting.delete(id);
      run();
    }
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
    performance.now = this.#real.now;
  }
}
