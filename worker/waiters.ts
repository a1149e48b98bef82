/** Callers that wait for the next change of something. */

/**
 * All objects that somebody waits for. A caller that waits is often referred to by these objects alone. Without this set
 * the garbage collector would take both, and the caller would never continue.
 */
const awaited = new Set<object>();

/** Keeps an object in memory while somebody waits for it. */
export function keepWhileAwaited(object: object, isAwaited: boolean): void {
  if (isAwaited) awaited.add(object);
  else awaited.delete(object);
}

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
    keepWhileAwaited(this, true);
    signal.addEventListener("abort", wake, { once: true });
    await promise;
    this.#wakes.delete(wake);
    keepWhileAwaited(this, this.#wakes.size > 0);
    signal.removeEventListener("abort", wake);
  }

  /** Wakes all callers that wait now. */
  wakeAll(): void {
    const wakes = this.#wakes;
    this.#wakes = new Set();
    for (const wake of wakes) wake();
  }
}
