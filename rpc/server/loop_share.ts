/**
 * Shares the event loop among users: while it is free each call goes on at once; when a turn of the loop has taken its
 * time, further work waits, and the users go on one after another, whatever the number of their calls.
 */
import { setImmediate } from "node:timers";

/** Work of one turn. An admin's call waits for at most one such slice, and one call of each other user. */
const SLICE_MS = 10;

/** A call that was let go on has begun its work after so many microtasks. */
const MICROTASKS = 6;

/** The event loop of one server. */
export class LoopShare {
  /** When the work of this turn began; undefined: nothing has been done in it. */
  #beganMs: number | undefined;
  readonly #queues = new Map<unknown, (() => void)[]>();
  #waiting = 0;

  /** Calls that wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when it is the user's turn; undefined when that is now. */
  enter(user: unknown): Promise<void> | undefined {
    if (this.#waiting === 0 && !this.#isOver()) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    const queue = this.#queues.get(user);
    if (queue === undefined) this.#queues.set(user, [resolve]);
    else queue.push(resolve);
    this.#waiting += 1;
    if (this.#waiting === 1) setImmediate(() => void this.#drain());
    return promise;
  }

  #isOver(): boolean {
    const now = performance.now();
    if (this.#beganMs === undefined) {
      this.#beganMs = now;
      setImmediate(() => this.#beganMs = undefined);
      return false;
    }
    return now - this.#beganMs >= SLICE_MS;
  }

  /** Lets the first of each user go on, in turn, until the time is up; the rest after other events were seen. */
  async #drain(): Promise<void> {
    this.#beganMs = undefined;
    do {
      const [user, queue] = this.#queues.entries().next().value!;
      this.#queues.delete(user);
      const next = queue.shift();
      // Behind the others: this user was served last.
      if (queue.length > 0) this.#queues.set(user, queue);
      this.#waiting -= 1;
      next?.();
      for (let count = 0; count < MICROTASKS; count++) await undefined;
    } while (this.#waiting > 0 && !this.#isOver());
    if (this.#waiting > 0) setImmediate(() => void this.#drain());
  }
}

/** Lets one at a time in, the users in turn. */
export class Turns {
  #isTaken = false;
  readonly #queues = new Map<unknown, (() => void)[]>();

  /** Resolves to what gives the turn back. */
  async take(user: unknown): Promise<() => void> {
    if (this.#isTaken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const queue = this.#queues.get(user);
      if (queue === undefined) this.#queues.set(user, [resolve]);
      else queue.push(resolve);
      await promise;
    }
    this.#isTaken = true;
    let isBack = false;
    return () => {
      if (isBack) return;
      isBack = true;
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
    // The loop sees other events first.
    setImmediate(() => next?.());
  }
}
