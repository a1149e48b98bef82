/**
 * Shares the event loop among users. While the loop is free, each call continues at once. After a turn of the loop has
 * used its time, further work waits. Then users get turns one after another, however many calls each has.
 */
import { setImmediate } from "node:timers";

/** The work of one turn, in milliseconds. A call waits for at most one such slice, and one call of each other user. */
const SLICE_MS = 10;

/** Calls that continue at once in one turn. One read may bring many, before the first has used any time. */
const MAX_ENTERED = 16;

/** The number of microtasks until a call that continues has begun its work. */
const MICROTASKS = 6;

/** The event loop of one server. */
export class LoopShare {
  /** When the work of this turn began. Undefined before any work. */
  #beganMs: number | undefined;
  #entered = 0;
  readonly #queues = new Map<unknown, (() => void)[]>();
  #waiting = 0;

  /** The number of calls that wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when it is the user's turn. Returns undefined when that is now. */
  enter(user: unknown): Promise<void> | undefined {
    const now = performance.now();
    if (this.#beganMs === undefined) {
      this.#beganMs = now;
      this.#entered = 0;
      setImmediate(() => this.#endTurn());
    }
    if (this.#waiting === 0 && this.#entered < MAX_ENTERED && now - this.#beganMs < SLICE_MS) {
      this.#entered += 1;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const queue = this.#queues.get(user);
    if (queue === undefined) this.#queues.set(user, [resolve]);
    else queue.push(resolve);
    this.#waiting += 1;
    return promise;
  }

  /** Runs once in each turn of the loop that has calls. */
  #endTurn(): void {
    if (this.#waiting === 0) {
      this.#beganMs = undefined;
      return;
    }
    this.#beganMs = performance.now();
    setImmediate(() => this.#endTurn());
    void this.#drain(this.#beganMs);
  }

  /**
   * Continues one call of each user in turn until the slice is used. The rest waits until other events were handled.
   */
  async #drain(beganMs: number): Promise<void> {
    while (this.#waiting > 0 && performance.now() - beganMs < SLICE_MS) {
      const [user, queue] = this.#queues.entries().next().value!;
      this.#queues.delete(user);
      const next = queue.shift();
      // The user moves to the end of the line.
      if (queue.length > 0) this.#queues.set(user, queue);
      this.#waiting -= 1;
      next?.();
      for (let count = 0; count < MICROTASKS; count++) await undefined;
    }
  }
}

/** Admits one call at a time, the users in turn. */
export class Turns {
  #isTaken = false;
  readonly #queues = new Map<unknown, (() => void)[]>();

  /** Resolves to a function that ends the turn. */
  async take(user: unknown): Promise<() => void> {
    if (this.#isTaken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const queue = this.#queues.get(user);
      if (queue === undefined) this.#queues.set(user, [resolve]);
      else queue.push(resolve);
      await promise;
    }
    this.#isTaken = true;
    let isEnded = false;
    return () => {
      if (isEnded) return;
      isEnded = true;
      this.#pass();
    };
  }

  #pass(): void {
    const first = this.#queues.entries().next().value;
    if (first === undefined) {
      this.#isTaken = false;
      return;
    }
    const [user, queue] = first;
    this.#queues.delete(user);
    const next = queue.shift();
    if (queue.length > 0) this.#queues.set(user, queue);
    // The loop handles other events first.
    setImmediate(() => next?.());
  }
}
