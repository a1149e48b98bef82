/**
 * Counts the refused calls of each user, so that the server can end a flood of them. To refuse one call takes 0.1 ms,
 * which delays all other clients.
 */

/** The result of a call: admitted, refused because the user has too many open, or refused for another reason. */
export type CallOutcome = "ADMITTED" | "LIMITED" | "REFUSED";

/** The most refused calls of one user in one period. A program with 50 refused calls a second stays below. */
export const MAX_REFUSED_CALLS = 1_000;

/** The period, in milliseconds. */
const PERIOD_MS = 10_000;

/**
 * A program that starts thousands of calls at once gets `LIMITED` for each call beyond its limit, so these count less.
 */
const WEIGHTS: Readonly<Record<CallOutcome, number>> = { ADMITTED: 0, LIMITED: 0.25, REFUSED: 1 };

/** The refused calls of the current period, by user. */
export class RefusedCalls {
  readonly #counts = new Map<string, number>();
  #beganMs = -Infinity;

  /** Counts a call. Returns true when it was refused and the user has exceeded the limit. */
  add(user: string, outcome: CallOutcome, nowMs: number = performance.now()): boolean {
    if (outcome === "ADMITTED") return false;
    if (nowMs >= this.#beganMs + PERIOD_MS) {
      this.#counts.clear();
      this.#beganMs = nowMs;
    }
    const count = (this.#counts.get(user) ?? 0) + WEIGHTS[outcome];
    this.#counts.set(user, count);
    return count > MAX_REFUSED_CALLS;
  }
}

/** Passes the outcome of each call from the interceptor to the listener of its connection. */
export class CallOutcomes {
  readonly #refused = new RefusedCalls();
  /** The stream of the latest outcome. grpc-js runs the interceptor before the session's own listeners. */
  #stream: object | undefined;
  #outcome: CallOutcome = "REFUSED";

  /** Records the outcome of a call, by its stream. grpc-js itself refuses some calls, which have no outcome here. */
  record(stream: object | undefined, outcome: CallOutcome): void {
    this.#stream = stream;
    this.#outcome = outcome;
  }

  /** Counts a call whose stream has begun. Returns true when it was refused and the user has exceeded the limit. */
  exceedsLimit(stream: object, user: string): boolean {
    return this.#refused.add(user, this.#stream === stream ? this.#outcome : "REFUSED");
  }
}
