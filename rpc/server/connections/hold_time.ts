/** How long a connection keeps its slot while others need it. */
import { USUAL_HOLD_MS } from "./deadlines.ts";

/** The weight of one result in the success rate. */
const WEIGHT = 1 / 16;

/** Below this success rate the time gets shorter. */
const USUAL_RATE = 0.25;

/**
 * The time for which a connection keeps its slot, from the success rate of the latest connections.
 *
 * Clients send at once, but a program that opens hundreds of connections needs a moment for the last. In an attack
 * hardly any connection succeeds. Then the time falls to the minimum, so that thousands of connections pass in a
 * second.
 */
export class HoldTime {
  readonly #leastMs: number;
  /** The success rate of the latest connections, from 0 to 1. */
  #rate = 1;

  /** @param leastMs the minimum in milliseconds */
  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  /** The time in milliseconds. */
  get ms(): number {
    return Math.max(this.#leastMs, USUAL_HOLD_MS * Math.min(1, this.#rate / USUAL_RATE));
  }

  /** Counts a connection that did what its slot is for. */
  succeeded(): void {
    this.#rate += WEIGHT * (1 - this.#rate);
  }

  /** Counts a connection that ended before that. */
  failed(): void {
    this.#rate *= 1 - WEIGHT;
  }
}
