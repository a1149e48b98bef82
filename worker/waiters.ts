/** Callers that wait for the next change of something. */

/**
 * Callers that wait for the next change.
 *
 * @example
 * ```ts
 * import { Waiters } from "./waiters.ts";
 *
 * const waiters = new Waiters();
 * const changed = waiters.wait(AbortSignal.timeout(1_000));
 * waiters.wakeAll();
 * await changed;
 * ```
 */
export class Waiters {
  #wakes = new Set<() => void>();

  /** Resolves at the next `wakeAll`, or when the signal aborts. It does not reject. */
  async wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#wakes.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    await promise;
    this.#wakes.delete(wake);
    signal.removeEventListener("abort", wake);
  }

  /** Wakes all callers that wait now. */
  wakeAll(): void {
    const wakes = this.#wakes;
    this.#wakes = new Set();
    for (const wake of wakes) wake();
  }
}
