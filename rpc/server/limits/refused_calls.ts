/**
 * Counts the calls of each user that were refused, so that a flood of them ends. Refusing one takes 0.1 ms, which all others
 * wait for.
 */

/** What became of a call: admitted, refused because too many are open, or refused for another reason. */
export type CallOutcome = "ADMITTED" | "LIMITED" | "REFUSED";

/** The most refused calls of one user in one period. A program that asks in vain 50 times a second never gets there. */
export const MAX_REFUSED_CALLS = 1_000;

/** How long is counted, in milliseconds. */
const PERIOD_MS = 10_000;

/** A program that begins thousands of calls at once learns of each what it has too many. */
const WEIGHTS: Readonly<Record<CallOutcome, number>> = { ADMITTED: 0, LIMITED: 0.25, REFUSED: 1 };

/** The refused calls of the current period, by user. */
export class RefusedCalls {
  readonly #counts = new Map<string, number>();
  #beganMs = -Infinity;

  /** Counts a call. Returns true when it was refused, and its user has had too many of these. */
  add(user: string, verdict: CallOutcome, nowMs: number = performance.now()): boolean {
    if (verdict === "ADMITTED") return false;
    if (nowMs >= this.#beganMs + PERIOD_MS) {
      this.#counts.clear();
      this.#beganMs = nowMs;
    }
    const count = (this.#counts.get(user) ?? 0) + WEIGHTS[verdict];
    this.#counts.set(user, count);
    return count > MAX_REFUSED_CALLS;
  }
}
