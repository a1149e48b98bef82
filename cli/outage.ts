/** What to do when the connection or the server goes away under a command that follows something: try again, for a while. */
import { formatDuration } from "./duration.ts";
import { callStatus } from "./exit_code.ts";
import type { Print } from "./print.ts";

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
 * Sentences of failures that no waiting mends, though they look like an outage. That the server refuses this client's
 * certificate is not among them: it was good before, and a connection that is cut in its handshake looks the same.
 */
const FINAL_SENTENCE =
  /is no teleport server|its certificate (is not|has expired)|may not use the network|failed to answer/;

/** The outages of one command. Several of its calls may share one. */
export class Outages {
  readonly #print: Pick<Print, "note">;
  readonly #retryForMs: number;
  /** When the server last answered; undefined: never. */
  #answeredMs: number | undefined;
  #outage: { readonly sinceMs: number; waitMs: number; isToldBack: boolean } | undefined;

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
    if (outage.isToldBack) return;
    outage.isToldBack = true;
    await this.#print.note("The server is back");
  }

  /** A connection was there, though no answer came over it: what broke it off is worth waiting for. */
  wasThere(): void {
    this.#answeredMs = performance.now();
  }

  /**
   * Waits until it is time for the next try.
   *
   * @throws the error itself when no waiting mends it, the server never answered before, or it lasted too long
   * @throws the signal's reason once it aborts
   */
  async wait(error: unknown, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#answeredMs === undefined || this.#retryForMs === 0 || !isTransient(error)) throw error;
    const now = performance.now();
    // A connection that has held for a while was no part of the outage before it.
    if (this.#outage?.isToldBack && now - this.#answeredMs > MAX_WAIT_MS) this.#outage = undefined;
    // Held here, for while it is told another call of the command may get an answer, which ends it.
    let outage = this.#outage;
    if (outage === undefined) {
      outage = this.#outage = { sinceMs: now, waitMs: FIRST_WAIT_MS, isToldBack: false };
      const why = error instanceof Error ? error.message : String(error);
      await this.#print.note(`${why}: trying again for ${formatDuration(this.#retryForMs)}`);
    } else if (now - outage.sinceMs >= this.#retryForMs) throw error;
    // Many clients of one server must not all come at the same moment.
    const waitMs = outage.waitMs * (0.5 + Math.random() / 2);
    outage.waitMs = Math.min(outage.waitMs * 2, MAX_WAIT_MS);
    await sleep(waitMs, signal);
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof SilenceError) return true;
  const status = callStatus(error);
  if (status === undefined || !(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  if (code !== undefined) return typeof code === "string" && GOING_AWAY.has(code);
  return TRANSIENT.has(status) && !FINAL_SENTENCE.test(error.message);
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Nothing has come for so long, not even the heartbeats that were asked for, that the connection must be dead. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";

  constructor(silenceMs: number) {
    super(`Nothing came from the server for ${formatDuration(silenceMs)}: the connection counts as lost`);
  }
}

/**
 * Iterates a stream that may stand still, and ends it when it does for longer than it may.
 *
 * @param open makes the call, with the signal that ends it
 * @param silenceMs how long nothing may come, in milliseconds
 * @throws {SilenceError} when nothing came for that long
 */
export async function* unlessSilent<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncGenerator<T, void, void> {
  const silent = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => timer = setTimeout(() => silent.abort(), silenceMs);
  watch();
  try {
    for await (const item of open(signal === undefined ? silent.signal : AbortSignal.any([signal, silent.signal]))) {
      // Who takes the item may be slow: that is no silence of the server's.
      clearTimeout(timer);
      yield item;
      watch();
    }
  } catch (error) {
    throw silent.signal.aborted ? new SilenceError(silenceMs) : error;
  } finally {
    clearTimeout(timer);
  }
}
