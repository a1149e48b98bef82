/** Waits between attempts, for conditions that no event reports. */

/**
 * Waits twice as long each time, up to a maximum.
 *
 * @example
 * ```ts ignore
 * const backoff = new Backoff(1, 50);
 * while (isBusy()) await backoff.wait(); // 1 ms, 2 ms, 4 ms, …, 50 ms, 50 ms
 * ```
 */
export class Backoff {
  #nextMs: number;
  readonly #maxMs: number;

  /**
   * @param firstMs the first wait, in milliseconds
   * @param maxMs the longest wait, in milliseconds
   */
  constructor(firstMs: number, maxMs: number = Infinity) {
    this.#nextMs = firstMs;
    this.#maxMs = maxMs;
  }

  /** Returns the length of the next wait in milliseconds, for a caller that waits itself. */
  nextMs(): number {
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, this.#maxMs);
    return waitMs;
  }

  /** Waits for the next time. */
  async wait(): Promise<void> {
    await sleep(this.nextMs());
  }
}

/**
 * Resolves after a time.
 *
 * @param ms the time in milliseconds
 * @param signal ends the wait
 * @throws the signal's reason when it aborts
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
