/** Decides whether the clock can be trusted when it says that a job is old enough to be removed. */

/** The bounds of the smallest step that counts as a step of the clock, in milliseconds. */
const MIN_STEP_MS = 60_000;
const MAX_STEP_MS = 3_600_000;

/** The hold after a step. It gives an administrator time to read the log and to set the clock. */
const HOLD_MS = 3_600_000;

/** A source of time. */
export interface Clock {
  /** Returns the time of the system, in ms since 1970. */
  readonly now: () => number;
  /** Returns the milliseconds since a fixed moment. Nobody can set this clock. */
  readonly monotonicMs: () => number;
}

const SYSTEM: Clock = { now: () => Date.now(), monotonicMs: () => performance.now() };

/**
 * Compares the clock of the system with the time that has passed. A clock that is ahead looks like time in which the
 * server was not running. So a long pause of the server counts as a step too.
 */
export class RetentionClock {
  readonly #clock: Clock;
  readonly #stepMs: number;
  #seenMs: number;
  #seenAtMs: number;
  #holdUntilMs = -Infinity;
  #aheadMs = 0;

  /**
   * @param maxAgeMs how long jobs are kept, in milliseconds; the smallest step that counts is a tenth of it
   * @param lastSeenMs the last time that the previous process stored, in ms since 1970; absent when there was none
   */
  constructor(maxAgeMs: number, lastSeenMs: number | undefined, clock: Clock = SYSTEM) {
    this.#clock = clock;
    this.#stepMs = Math.min(MAX_STEP_MS, Math.max(MIN_STEP_MS, maxAgeMs / 10));
    this.#seenAtMs = clock.monotonicMs();
    this.#seenMs = lastSeenMs ?? clock.now();
  }

  /** Returns the time now, in ms since 1970. */
  now(): number {
    return this.#clock.now();
  }

  /** Returns how much longer no job may be removed by age, in milliseconds; 0 when the clock is trusted. */
  holdMs(): number {
    const now = this.#clock.now();
    const atMs = this.#clock.monotonicMs();
    const aheadMs = now - this.#seenMs - (atMs - this.#seenAtMs);
    this.#seenMs = now;
    this.#seenAtMs = atMs;
    if (aheadMs > this.#stepMs) {
      this.#holdUntilMs = atMs + HOLD_MS;
      this.#aheadMs = aheadMs;
    }
    return Math.max(0, this.#holdUntilMs - atMs);
  }

  /** The warning for an administrator: why no job is removed by age now. */
  get holdMessage(): string {
    const hours = this.#aheadMs / 3_600_000;
    const ahead = hours < 48 ? `${hours.toFixed(1)} hours` : `${(hours / 24).toFixed(1)} days`;
    return `the clock is ${ahead} ahead of the last known time: ended jobs are not removed by age for ` +
      `${HOLD_MS / 60_000} minutes. Set the clock if it is wrong`;
  }
}
