/** Whether the clock can be believed when it says that something is old enough to be deleted. */

/** A step of the clock below the shortest of these is none, above the longest always one, in milliseconds. */
const MIN_STEP_MS = 60_000;
const MAX_STEP_MS = 3_600_000;

/** How long nothing is deleted by age after a step: time for the clock to be set right, and for somebody to see the log. */
const HOLD_MS = 3_600_000;

/** Where the time comes from. */
export interface Clock {
  /** Milliseconds since 1970, as the system has it. */
  readonly now: () => number;
  /** Milliseconds since some moment, which no one sets. */
  readonly monotonicMs: () => number;
}

const SYSTEM: Clock = { now: () => Date.now(), monotonicMs: () => performance.now() };

/**
 * Compares the clock with the time that has passed. The time that a server was not running cannot be told from a clock that
 * is ahead, so a long pause is taken for a step too.
 */
export class RetentionClock {
  readonly #clock: Clock;
  readonly #stepMs: number;
  #seenMs: number;
  #seenAtMs: number;
  #heldUntilMs = -Infinity;
  #aheadMs = 0;

  /**
   * @param maxAgeMs how long things are kept: a step is what matters to that
   * @param lastSeenMs the time that an earlier process saw last, in ms since 1970; absent when there was none
   */
  constructor(maxAgeMs: number, lastSeenMs: number | undefined, clock: Clock = SYSTEM) {
    this.#clock = clock;
    this.#stepMs = Math.min(MAX_STEP_MS, Math.max(MIN_STEP_MS, maxAgeMs / 10));
    this.#seenAtMs = clock.monotonicMs();
    this.#seenMs = lastSeenMs ?? clock.now();
  }

  /** The time now, in ms since 1970. */
  now(): number {
    return this.#clock.now();
  }

  /** How much longer nothing may be deleted by age, in milliseconds; 0 when the clock is believed. */
  heldMs(): number {
    const now = this.#clock.now();
    const atMs = this.#clock.monotonicMs();
    const aheadMs = now - this.#seenMs - (atMs - this.#seenAtMs);
    this.#seenMs = now;
    this.#seenAtMs = atMs;
    if (aheadMs > this.#stepMs) {
      this.#heldUntilMs = atMs + HOLD_MS;
      this.#aheadMs = aheadMs;
    }
    return Math.max(0, this.#heldUntilMs - atMs);
  }

  /** A sentence on why nothing is deleted now. */
  get why(): string {
    const hours = this.#aheadMs / 3_600_000;
    const ahead = hours < 48 ? `${hours.toFixed(1)} hours` : `${(hours / 24).toFixed(1)} days`;
    return `the clock is ${ahead} ahead of what was last known: ended jobs are not removed by age for ` +
      `${HOLD_MS / 60_000} minutes, set the clock if it is wrong`;
  }
}
