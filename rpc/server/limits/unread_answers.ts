/**
 * Counts answers that were made and not sent, and makes further answers wait. So a client that reads nothing costs a
 * limited number of bytes.
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import type { FrameMeter } from "../../compat/frame_memory.ts";
import type { ConnectionAccount, UserAccount, UserAccounts } from "./user_accounts.ts";

/** How many bytes of answers may wait until they are read. */
export interface AnswerLimits {
  /** Bytes of one connection. */
  readonly maxConnectionBytes: number;
  /** Bytes of one user, over all connections. */
  readonly maxUserBytes: number;
  /** Bytes of all users together. */
  readonly maxBytes: number;
  /** An answer that was not read for this long, in milliseconds, ends when others need its room. */
  readonly stalledMs: number;
}

/**
 * - 8 MiB of a connection: two answers of the largest size, or 128 unread streams of output.
 * - 16 MiB of a user: one unread connection leaves the same room for the user's other connections.
 * - 128 MiB in all: eight users who read nothing.
 * - 30 s: a link of 1 Mbit/s carries half of a connection's limit in this time.
 */
export const DEFAULT_ANSWER_LIMITS: AnswerLimits = {
  maxConnectionBytes: 8 * 1024 * 1024,
  maxUserBytes: 16 * 1024 * 1024,
  maxBytes: 128 * 1024 * 1024,
  stalledMs: 30_000,
};

/** The number of calls that wake when an answer was sent. The room is used only when they have made their answers. */
const WAKE_COUNT = 16;

interface Waiter {
  readonly account: ConnectionAccount;
  readonly wake: () => void;
}

/** The unsent bytes of one stream. */
class StreamMeter implements FrameMeter {
  readonly #stream: ServerHttp2Stream;
  readonly #answers: UnreadAnswers;
  /** Undefined before the first bytes. */
  #account: ConnectionAccount | undefined;
  #held = 0;

  constructor(stream: ServerHttp2Stream, answers: UnreadAnswers) {
    this.#stream = stream;
    this.#answers = answers;
  }

  queued(bytes: number): void {
    const account = this.#account ??= this.#answers.accountOf(this.#stream);
    if (account === undefined || this.#stream.destroyed) return;
    if (this.#held === 0) {
      account.unread.set(this.#stream, performance.now());
      account.owner.unread.add(account);
    }
    this.#held += bytes;
    this.#answers.add(account, bytes);
  }

  sent(bytes: number): void {
    const account = this.#account;
    const sent = Math.min(bytes, this.#held);
    if (sent === 0 || account === undefined) return;
    this.#held -= sent;
    // The client has read a part: the wait of the rest starts now.
    account.unread.delete(this.#stream);
    if (this.#held > 0) account.unread.set(this.#stream, performance.now());
    if (account.unread.size === 0) account.owner.unread.delete(account);
    this.#answers.add(account, -sent);
  }
}

/** The unsent answers of one server. */
export class UnreadAnswers {
  readonly limits: AnswerLimits;
  readonly #accounts: UserAccounts;
  readonly #waiters = new Set<Waiter>();
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(accounts: UserAccounts, limits: AnswerLimits) {
    this.#accounts = accounts;
    this.limits = limits;
  }

  /** Bytes of answers that were not sent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of calls that wait for room. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Returns whether a further answer may be made. */
  hasRoom(account: ConnectionAccount): boolean {
    return account.answerBytes < this.limits.maxConnectionBytes &&
      account.owner.answerBytes < this.limits.maxUserBytes && this.#bytes < this.limits.maxBytes;
  }

  /**
   * Resolves when there may be room, or when the call is over. The caller checks hasRoom() again.
   *
   * @param over aborts when the call is over
   */
  wait(account: ConnectionAccount, over: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { account, wake: resolve };
    this.#waiters.add(waiter);
    this.#timer ??= setTimeout(() => this.#endStalled(), this.limits.stalledMs);
    const abort = () => resolve();
    over.addEventListener("abort", abort, { once: true });
    return promise.finally(() => {
      this.#waiters.delete(waiter);
      over.removeEventListener("abort", abort);
    });
  }

  /** Returns the meter of a stream. It counts written bytes until they were sent. */
  meter(stream: ServerHttp2Stream): FrameMeter {
    const meter = new StreamMeter(stream, this);
    // Emitted once. The function that once() makes would cost 200 bytes of each open call.
    stream.on("close", () => meter.sent(Infinity));
    return meter;
  }

  /** Returns the account of a stream. Undefined when its session has none. */
  accountOf({ session }: ServerHttp2Stream): ConnectionAccount | undefined {
    return session && this.#accounts.find(session as ServerHttp2Session);
  }

  /** Counts bytes that were written, or sent when negative. */
  add(account: ConnectionAccount, bytes: number): void {
    account.answerBytes += bytes;
    account.owner.answerBytes += bytes;
    this.#bytes += bytes;
    if (bytes < 0 && this.#waiters.size > 0) this.#wake();
  }

  /** Wakes the calls that have waited the longest and may find room. */
  #wake(): void {
    let count = 0;
    for (const waiter of this.#waiters) {
      if (!this.hasRoom(waiter.account)) continue;
      this.#waiters.delete(waiter);
      waiter.wake();
      if (++count === WAKE_COUNT) return;
    }
  }

  /** Resets stalled streams whose room others need: those of the same user, or of the largest user. */
  #endStalled(): void {
    this.#timer = undefined;
    const before = performance.now() - this.limits.stalledMs;
    const full = this.#bytes >= this.limits.maxBytes ? this.#largestUser() : undefined;
    const users = new Set([...this.#waiters].map(({ account }) => account.owner));
    if (full !== undefined) users.add(full);
    for (const user of users) {
      for (const connection of [...user.unread]) {
        const isFull = user === full || user.answerBytes >= this.limits.maxUserBytes ||
          connection.answerBytes >= this.limits.maxConnectionBytes;
        if (!isFull) continue;
        for (const [stream, sinceMs] of [...connection.unread]) {
          if (sinceMs > before) break;
          this.#accounts.refuse("answers_unread", user.user);
          // gRPC maps this code of RST_STREAM to RESOURCE_EXHAUSTED.
          (stream as ServerHttp2Stream).close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
        }
      }
    }
    // Calls that woke earlier may not have used the room.
    this.#wake();
    if (this.#waiters.size > 0) this.#timer = setTimeout(() => this.#endStalled(), this.limits.stalledMs);
  }

  #largestUser(): UserAccount | undefined {
    let largest: UserAccount | undefined;
    for (const user of this.#accounts.users) if (user.answerBytes > (largest?.answerBytes ?? 0)) largest = user;
    return largest;
  }

  /** Ends all waits. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const { wake } of this.#waiters) wake();
  }
}
