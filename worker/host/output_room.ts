/** The disk space that the output of a job host's jobs may have. The supervisor sets it, and may make more. */
import type { OutputQuota } from "../output/limit.ts";

/**
 * How long a write waits for the next supervisor, in milliseconds. This is longer than a restart or an upgrade takes. A job
 * that nobody comes back for must end.
 */
const UNATTACHED_MS = 600_000;

/** A write that waits for room. */
interface Waiter {
  readonly bytes: number;
  readonly settle: (fits: boolean) => void;
}

/** The room of a job host. */
export class OutputRoom implements OutputQuota {
  #maxBytes = Infinity;
  #usedBytes = 0;
  /** The oldest first. Each waits for an answer to the last request. */
  #waiters: Waiter[] = [];
  /** Asks the supervisor for more. Undefined while none is attached. */
  #ask: ((bytes: number) => void) | undefined;
  /** Runs while writes wait and no supervisor is attached. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitsForSupervisor = true;
  /** True until the attached supervisor has set the room for the first time, which answers no request. */
  #isNew = false;

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The bytes of the output of all jobs that the supervisor has not taken into its own account. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Reserves bytes. When they do not fit, asks the supervisor for room and waits for its answer, or for the next supervisor
   * if none is attached.
   */
  reserve(bytes: number): boolean | Promise<boolean> {
    // A write that waits goes first.
    if (this.#waiters.length === 0 && this.#take(bytes)) return true;
    if (this.#ask === undefined && !this.#waitsForSupervisor) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiters.push({ bytes, settle: resolve });
    if (this.#ask === undefined) this.#waitForSupervisor();
    else this.#request();
    return promise;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
    if (this.#waiters.length > 0) this.#serve();
  }

  /**
   * Sets the room. This may answer a request. A supervisor that can make no room sets the same room again, and only then
   * the waiting writes are refused.
   */
  set(maxBytes: number): void {
    const isSame = maxBytes === this.#maxBytes && !this.#isNew;
    this.#isNew = false;
    this.#maxBytes = maxBytes;
    this.#serve();
    if (this.#waiters.length === 0) return;
    if (isSame) this.#refuse();
    else this.#request();
  }

  /**
   * Sets whom to ask for room. Without a supervisor the jobs continue within the room that they have. A job that writes more
   * waits for the next supervisor, which may remove ended jobs.
   */
  attach(ask: ((bytes: number) => void) | undefined): void {
    this.#ask = ask;
    this.#isNew = ask !== undefined;
    this.#stopTimer();
    if (this.#waiters.length === 0) return;
    if (ask === undefined) this.#waitForSupervisor();
    else this.#request();
  }

  /** Lets no write wait for the next supervisor from now on, because all jobs are being stopped. */
  endWaiting(): void {
    this.#waitsForSupervisor = false;
    if (this.#ask === undefined) this.#refuse();
  }

  #waitForSupervisor(): void {
    if (!this.#waitsForSupervisor) return this.#refuse();
    this.#timer ??= setTimeout(() => this.#refuse(), UNATTACHED_MS);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.#maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Gives the room to the writes that wait, the oldest first. */
  #serve(): void {
    for (let next = this.#waiters[0]; next !== undefined && this.#take(next.bytes); next = this.#waiters[0]) {
      this.#waiters.shift();
      next.settle(true);
    }
    if (this.#waiters.length === 0) this.#stopTimer();
  }

  #request(): void {
    const wanted = this.#waiters.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#ask?.(this.#usedBytes + wanted - this.#maxBytes);
  }

  #refuse(): void {
    this.#stopTimer();
    const refused = this.#waiters;
    this.#waiters = [];
    for (const { settle } of refused) settle(false);
  }
}
