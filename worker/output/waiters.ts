/** The readers that wait for a log to grow. */
import { keepWhileAwaited } from "../waiters.ts";

/**
 * The number of readers to wake in one turn of the event loop. Their short-lived objects are garbage by the next turn,
 * and other work, such as a status call, runs between the turns.
 */
const WOKEN_PER_TURN = 50;

/** All waits with one signal. */
interface Waiter {
  resolves: (() => void)[];
}

/**
 * The readers that wait for a log to grow.
 *
 * @example
 * ```ts
 * const waiters = new GrowthWaiters();
 * const grown = waiters.wait(new AbortController().signal);
 * waiters.wakeAll();
 * await grown;
 * ```
 */
export class GrowthWaiters {
  readonly #waiting = new Set<Waiter>();
  readonly #waiterOfSignal = new WeakMap<AbortSignal, Waiter>();

  #abandoned: Error | undefined;

  /** True while a reader waits. */
  get hasAny(): boolean {
    return this.#waiting.size > 0;
  }

  /** Resolves at the next `wakeAll()`, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    const waiter = this.#waiterOf(signal);
    this.#waiting.add(waiter);
    keepWhileAwaited(this, true);
    return new Promise<void>((resolve) => waiter.resolves.push(resolve));
  }

  /**
   * Resolves once a log has grown: at once, or at a later `wakeAll()`.
   *
   * @throws the signal's reason when it aborts, and the error of `abandon()`
   */
  async waitUntil(hasGrown: () => boolean, signal: AbortSignal): Promise<void> {
    this.#assertWaitable(signal);
    if (hasGrown()) return;
    await this.wait(signal);
    this.#assertWaitable(signal);
  }

  #assertWaitable(signal: AbortSignal): void {
    signal.throwIfAborted();
    if (this.#abandoned !== undefined) throw this.#abandoned;
  }

  /** Ends all waits of `waitUntil()` with an error, now and later. */
  abandon(error: Error): void {
    this.#abandoned = error;
    this.wakeAll();
  }

  /** Wakes all readers, some in each turn of the event loop. */
  wakeAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    keepWhileAwaited(this, false);
    wakeFrom(waiting, 0);
  }

  /** Returns the waiter of a signal. A reader waits often with one signal, so the abort listener is added once. */
  #waiterOf(signal: AbortSignal): Waiter {
    const known = this.#waiterOfSignal.get(signal);
    if (known !== undefined) return known;
    const waiter: Waiter = { resolves: [] };
    signal.addEventListener("abort", () => {
      this.#waiting.delete(waiter);
      keepWhileAwaited(this, this.hasAny);
      resolveAll(waiter);
    }, { once: true });
    this.#waiterOfSignal.set(signal, waiter);
    return waiter;
  }
}

function wakeFrom(waiters: readonly Waiter[], from: number): void {
  const to = from + WOKEN_PER_TURN;
  for (const waiter of waiters.slice(from, to)) resolveAll(waiter);
  if (to < waiters.length) setImmediate(() => wakeFrom(waiters, to));
}

function resolveAll(waiter: Waiter): void {
  const { resolves } = waiter;
  waiter.resolves = [];
  for (const resolve of resolves) resolve();
}
