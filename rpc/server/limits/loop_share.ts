/**
 * Shares the event loop among users: while it is free each call goes on at once; when a turn of the loop has taken its
 * time, further work waits, and the users go on one after another, whatever the number of their calls.
 */
import { setImmediate } from "node:timers";

/** Work of one turn. An admin's call waits for at most one such slice, and one call of each other user. */
const SLICE_MS = 10;

/** Calls that go on at once in one turn: many may come with one read, before the first of them has taken any time. */
const MAX_ENTERED = 16;

/** A call that was let go on has begun its work after so many microtasks. */
const MICROTASKS = 6;

/** The event loop of one server. */
export class LoopShare {
  /** When the work of this turn began; undefined: nothing has been done in it. */
  #beganMs: number | undefined;
  #entered = 0;
  readonly #queues = new Map<unknown, (() => void)[]>();
  #waiting = 0;

  /** Calls that wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when it is the user's turn; undefined when that is now. */
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

  /** Runs once in each turn of the loop with calls. */
  #endTurn(): void {
    if (this.#waiting === 0) {
      this.#beganMs = undefined;
      return;
    }
    this.#beganMs = performance.now();
    setImmediate(() => this.#endTurn());
    void this.#drain(this.#beganMs);
  }

  /** Lets the first of each user go on, in turn, until the time is up; the rest after other events were seen. */
  async #drain(beganMs: number): Promise<void> {
    while (this.#waiting > 0 && performance.now() - beganMs < SLICE_MS) {
      const [user, queue] = this.#queues.entries().next().value!;
      this.#queues.delete(user);
      const next = queue.shift();
      // Behind the others: this user was served last.
      if (queue.length > 0) this.#queues.set(user, queue);
      this.#waiting -= 1;
      next?.();
      for (let count = 0; count < MICROTASKS; count++) await undefined;
    }
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
