/** What to do when the connection or the server goes away under a command that follows something: try again, for a while. */
import { Backoff, sleep } from "../../base/backoff.ts";
import { errorCode } from "../../base/error_code.ts";
import { formatDuration } from "../../units/duration.ts";
import type { UnreachableReason } from "../../rpc/client/client.ts";
import { callStatus, unreachableReason } from "../exit_code.ts";
import type { Print } from "../print/print.ts";
import { SilenceError } from "./silence.ts";

/** The first try comes this soon, for most outages are a moment's; the next ones twice as late each. */
const FIRST_WAIT_MS = 100;

/** Never later than this: who waits for a server that is back wants to see it. */
const MAX_WAIT_MS = 5_000;

/** How long it is tried unless told otherwise: longer than a server takes to restart. */
export const DEFAULT_RETRY_FOR_MS = 120_000;

/** The wire's own failures, which come without a code of the server. */
const TRANSIENT = new Set(["UNAVAILABLE", "INTERNAL", "CANCELLED", "UNKNOWN"]);

/** What the server says while it shuts down, to come back perhaps. */
const GOING_AWAY = new Set(["UNAVAILABLE", "SUPERVISOR_CLOSED"]);

/**
 * Why a server cannot be reached, where waiting does not help. A refused client certificate is not among them: it was good
 * before, and a connection that is cut in its handshake looks the same.
 */
const FINAL_REASONS: ReadonlySet<unknown> = new Set<UnreachableReason>([
  "NOT_TELEPORT",
  "SERVER_NAME_MISMATCH",
  "SERVER_CERTIFICATE_EXPIRED",
  "SERVER_CERTIFICATE_NOT_YET_VALID",
  "SERVER_CERTIFICATE_UNTRUSTED",
  "SERVER_CERTIFICATE_UNUSABLE",
  "CLIENT_CERTIFICATE_NOT_VALID_NOW",
  "NETWORK_NOT_ALLOWED",
]);

/** An outage, from the call that failed to the first answer that brings something new. */
interface Outage {
  readonly sinceMs: number;
  readonly backoff: Backoff;
  isToldBack: boolean;
  /** When the server answered first since the last call that failed; undefined: not yet. */
  backSinceMs: number | undefined;
  /** When it was tried again last. */
  triedMs: number;
}

/** The outages of one command. Several of its calls may share one. */
export class Outages {
  readonly #print: Pick<Print, "note">;
  readonly #retryForMs: number;
  /** When the server last answered; undefined: never. */
  #answeredMs: number | undefined;
  #outage: Outage | undefined;

  /** @param retryForMs how long one outage may last, in milliseconds; 0: nothing is tried again */
  constructor(print: Pick<Print, "note">, retryForMs: number = DEFAULT_RETRY_FOR_MS) {
    this.#print = print;
    this.#retryForMs = retryForMs;
  }

  /**
   * The server has answered, so that an outage which comes is worth waiting for.
   *
   * @param isProgress what came is new. Only that ends an outage: a server may answer and break off again and again
   */
  async answered(isProgress = true): Promise<void> {
    this.#answeredMs = performance.now();
    const outage = this.#outage;
    if (outage === undefined) return;
    if (isProgress) this.#outage = undefined;
    outage.backSinceMs ??= this.#answeredMs;
    if (outage.isToldBack) return;
    outage.isToldBack = true;
    await this.#print.note("The server is back");
  }

  /**
   * Waits until it is time for the next try.
   *
   * @throws the error itself when waiting does not help, there was never a connection, or it lasted too long
   * @throws the signal's reason once it aborts
   */
  async wait(error: unknown, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    // There was a connection, though no answer came: the server is within reach.
    if (unreachableReason(error) === "LOST") this.#answeredMs ??= performance.now();
    if (this.#answeredMs === undefined || this.#retryForMs === 0 || !isTransient(error)) throw error;
    const now = performance.now();
    // A connection that has held for a while was no part of the outage before it.
    const backSinceMs = this.#outage?.backSinceMs ??
      (unreachableReason(error) === "LOST" ? this.#outage?.triedMs : undefined);
    if (backSinceMs !== undefined && now - backSinceMs > MAX_WAIT_MS) this.#outage = undefined;
    // Kept in a variable: while the note is printed, another call of the command may get an answer, which ends the outage.
    let outage = this.#outage;
    if (outage !== undefined) outage.backSinceMs = undefined;
    if (outage === undefined) {
      outage = this.#outage = {
        sinceMs: now,
        backoff: new Backoff(FIRST_WAIT_MS, MAX_WAIT_MS),
        isToldBack: false,
        backSinceMs: undefined,
        triedMs: now,
      };
      const why = error instanceof Error ? error.message : String(error);
      await this.#print.note(`${why}: trying again for ${formatDuration(this.#retryForMs)}`);
    } else if (now - outage.sinceMs >= this.#retryForMs) throw error;
    // Many clients of one server must not all come at the same moment.
    const waitMs = outage.backoff.nextMs() * (0.5 + Math.random() / 2);
    await sleep(waitMs, signal);
    outage.triedMs = performance.now();
  }
}

/**
 * Makes a call until it is answered, through outages of the server. Only for calls that mean the same when they are made
 * twice.
 *
 * @param signal ends the call
 */
export async function retryUntilAnswered<Answer>(
  ask: () => Promise<Answer>,
  outages: Outages,
  signal?: AbortSignal,
): Promise<Answer> {
  while (true) {
    try {
      const answer = await ask();
      await outages.answered();
      return answer;
    } catch (error) {
      await outages.wait(error, signal);
    }
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof SilenceError) return true;
  const status = callStatus(error);
  if (status === undefined || !(error instanceof Error)) return false;
  const code = errorCode(error);
  if (code !== undefined) return GOING_AWAY.has(code);
  return TRANSIENT.has(status) && !FINAL_REASONS.has(unreachableReason(error));
}
