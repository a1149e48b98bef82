/** Bridges outages of the server: a command that follows something tries again for a while. */
import { errorMessage } from "../../base/error_message.ts";
import { Backoff, sleep } from "../../base/backoff.ts";
import { errorCode } from "../../base/error_code.ts";
import type { UnreachableReason } from "../../rpc/client/client.ts";
import { formatDuration } from "../../base/number_text.ts";
import { callStatus, unreachableReason } from "../exit_code.ts";
import type { Print } from "../print/print.ts";
import { SilenceError } from "./silence.ts";

/** The wait before the first try, in milliseconds, because most outages are short. Each next wait is twice as long. */
const FIRST_WAIT_MS = 100;

/** The longest wait before a try, in milliseconds. The user wants to see soon that the server is back. */
const MAX_WAIT_MS = 5_000;

/**
 * How long answers must continue until an outage of a job host is over, in milliseconds. The server answers meanwhile, and
 * may take 15 seconds to try another job host.
 */
const HOST_STEADY_MS = 20_000;

/** The default for the longest outage, in milliseconds: longer than a restart of the server. */
export const DEFAULT_RETRY_FOR_MS = 120_000;

/** The statuses of failures on the wire, which come without an error code of the server. */
const TRANSIENT = new Set(["UNAVAILABLE", "INTERNAL", "CANCELLED", "UNKNOWN"]);

/** The error codes of a server that shuts down or has lost its job host. Both may come back. */
const GOING_AWAY = new Set(["UNAVAILABLE", "SUPERVISOR_CLOSED", "HOST_UNAVAILABLE"]);

/**
 * The reasons for which waiting does not help. A refused client certificate is not among them: the certificate was accepted
 * before, and a connection that is lost in its handshake looks the same.
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

/** The error code of a server whose job host does not answer. */
const HOST_UNAVAILABLE = "HOST_UNAVAILABLE";

/** An outage, from the failed call to the first answer with something new. */
interface Outage {
  readonly sinceMs: number;
  readonly backoff: Backoff;
  /** True when the server itself was away, and not only a job host of it. */
  isServerAway: boolean;
  /** True when the last failure was that of a job host. */
  isHostAway: boolean;
  /** True when the note about the end of the outage was printed. */
  isEndReported: boolean;
  /** The time of the first answer since the last failed call. Undefined: none yet. */
  answeringSinceMs: number | undefined;
  /** The time of the last try. */
  triedMs: number;
}

/** The outages of one command. Several of its calls can share one. */
export class Outages {
  readonly #print: Pick<Print, "note">;
  readonly #retryForMs: number;
  readonly #onBack: () => void;
  /** The time of the last answer. Undefined: none yet. */
  #answeredMs: number | undefined;
  #outage: Outage | undefined;

  /**
   * @param retryForMs the longest outage, in milliseconds. 0: nothing is tried again
   * @param onBack called at the first answer after an outage
   */
  constructor(print: Pick<Print, "note">, retryForMs: number = DEFAULT_RETRY_FOR_MS, onBack: () => void = () => {}) {
    this.#onBack = onBack;
    this.#print = print;
    this.#retryForMs = retryForMs;
  }

  /**
   * Records an answer of the server. Only after an answer is an outage worth waiting for.
   *
   * @param isProgress whether the answer brought something new. Only that ends an outage, because a server may answer and
   * break off again and again
   * @param showsHost whether the job host must have answered too. Only that ends an outage of a job host
   */
  async answered(isProgress = true, showsHost = isProgress): Promise<void> {
    this.#answeredMs = performance.now();
    const outage = this.#outage;
    if (outage === undefined) return;
    const isOver = outage.isHostAway ? showsHost : isProgress;
    if (isOver) this.#outage = undefined;
    outage.answeringSinceMs ??= this.#answeredMs;
    // The server answers while its job host does not.
    if (outage.isEndReported || !(isOver || outage.isServerAway)) return;
    outage.isEndReported = true;
    await this.#print.note(outage.isServerAway ? "The server is back" : "The job host answers again");
    this.#onBack();
  }

  /**
   * Waits until the time of the next try.
   *
   * @throws the error itself when waiting does not help, there was never a connection, or the outage is too long
   * @throws the reason of the signal when it aborts
   */
  async wait(error: unknown, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const isLost = unreachableReason(error) === "LOST";
    const isHostAway = errorCode(error) === HOST_UNAVAILABLE;
    // These show that the server can be reached, even without an answer.
    if (isLost || isHostAway) this.#answeredMs ??= performance.now();
    if (this.#answeredMs === undefined || this.#retryForMs === 0 || !isTransient(error)) throw error;
    const now = performance.now();
    // When the connection worked for a while, its loss is a new outage.
    const answeringSinceMs = this.#outage?.answeringSinceMs ?? (isLost ? this.#outage?.triedMs : undefined);
    const steadyMs = isHostAway ? HOST_STEADY_MS : MAX_WAIT_MS;
    if (answeringSinceMs !== undefined && now - answeringSinceMs > steadyMs) this.#outage = undefined;
    // A local variable, because an answer to another call may end the outage while the note is printed.
    let outage = this.#outage;
    if (outage !== undefined) outage.answeringSinceMs = undefined;
    if (outage === undefined) {
      outage = this.#outage = {
        sinceMs: now,
        backoff: new Backoff(FIRST_WAIT_MS, MAX_WAIT_MS),
        isServerAway: !isHostAway,
        isHostAway,
        isEndReported: false,
        answeringSinceMs: undefined,
        triedMs: now,
      };
      const message = withoutAdvice(errorMessage(error));
      await this.#print.note(`${message}: trying again for ${formatDuration(this.#retryForMs)}`);
    } else {
      if (now - outage.sinceMs >= this.#retryForMs) throw error;
      outage.isServerAway ||= !isHostAway;
      outage.isHostAway = isHostAway;
    }
    // Random, so that the clients of one server do not all come back at the same moment.
    const waitMs = outage.backoff.nextMs() * (0.5 + Math.random() / 2);
    await sleep(waitMs, signal);
    outage.triedMs = performance.now();
  }
}

/**
 * Makes a call until it is answered, through outages of the server. Only for calls that have the same effect when they are
 * made twice.
 *
 * @param call makes the call
 * @param signal ends the waiting
 * @param needsHost false when the server answers the call without a job host
 */
export async function retryUntilAnswered<Answer>(
  call: () => Promise<Answer>,
  outages: Outages,
  signal?: AbortSignal,
  needsHost = true,
): Promise<Answer> {
  while (true) {
    try {
      const answer = await call();
      await outages.answered(true, needsHost);
      return answer;
    } catch (error) {
      await outages.wait(error, signal);
    }
  }
}

/** Removes the advice to try again from a message: the command does that itself. */
function withoutAdvice(message: string): string {
  return message.replace(/[:;,]? try again(?: later| when it is back)?$/, "");
}

function isTransient(error: unknown): boolean {
  if (error instanceof SilenceError) return true;
  const status = callStatus(error);
  if (status === undefined || !(error instanceof Error)) return false;
  const code = errorCode(error);
  if (code !== undefined) return GOING_AWAY.has(code);
  return TRANSIENT.has(status) && !FINAL_REASONS.has(unreachableReason(error));
}
