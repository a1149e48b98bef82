/** The readers that wait for a log to grow. */
import { keepWhileAwaited } from "../waiters.ts";

/**
 * The number of readers to wake in one turn of the event loop. Their short-lived objects are garbage by the next turn,
 * and other work, such as a status call, runs between the turns.
 */
const WOKEN_PER_TURN = 50;

/** All waits with one signal. They share one promise. */
interface Waiter {
  pending: PromiseWithResolvers<void> | undefined;
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

  /**
   * Resolves at the next `wakeAll()`, or at once when the log has grown already.
   *
   * @throws the signal's reason when it aborts, and the error of `abandon()`
   */
  wait(signal: AbortSignal, hasGrown: boolean = false): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#abandoned !== undefined) return Promise.reject(this.#abandoned);
    if (hasGrown) return Promise.resolve();
    const waiter = this.#waiterOf(signal);
    if (waiter.pending === undefined) {
      waiter.pending = Promise.withResolvers();
      this.#waiting.add(waiter);
      keepWhileAwaited(this, true);
    }
    return waiter.pending.promise;
  }

  /** Ends all waits with an error, now and later. */
  abandon(error: Error): void {
    this.#abandoned = error;
    this.wakeAll();
  }

  /** Wakes all readers, some in each turn of the event loop. */
  wakeAll(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    keepWhileAwaited(this, false);
    this.#wakeFrom(waiting, 0);
  }

  /** Returns the waiter of a signal. A reader waits often with one signal, so the abort listener is added once. */
  #waiterOf(signal: AbortSignal): Waiter {
    const known = this.#waiterOfSignal.get(signal);
    if (known !== undefined) return known;
    const waiter: Waiter = { pending: undefined };
    signal.addEventListener("abort", () => {
      this.#waiting.delete(waiter);
      keepWhileAwaited(this, this.hasAny);
      take(waiter)?.reject(signal.reason);
    }, { once: true });
    this.#waiterOfSignal.set(signal, waiter);
    return waiter;
  }

  #wakeFrom(waiters: readonly Waiter[], from: number): void {
    const to = Math.min(from + WOKEN_PER_TURN, waiters.length);
    for (let at = from; at < to; at++) {
      const pending = take(waiters[at]!);
      if (this.#abandoned === undefined) pending?.resolve();
      else pending?.reject(this.#abandoned);
    }
    if (to < waiters.length) setImmediate(() => this.#wakeFrom(waiters, to));
  }
}

/** Takes the pending wait of a waiter. */
function take(waiter: Waiter): PromiseWithResolvers<void> | undefined {
  const { pending } = waiter;
  waiter.pending = undefined;
  return pending;
}
