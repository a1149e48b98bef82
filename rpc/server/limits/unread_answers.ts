/**
 * Keeps account of answers that were made and have not left, and makes further ones wait: a client that reads nothing
 * costs a bounded number of bytes, whatever it asks for.
 */
import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import type { ConnectionAccount, UserAccount, UserAccounts } from "./user_accounts.ts";

/** Bytes of answers that may wait to be read. */
export interface AnswerLimits {
  /** Of one connection. */
  readonly maxConnectionBytes: number;
  /** Of one user, over all connections. */
  readonly maxUserBytes: number;
  /** Of all users together. */
  readonly maxBytes: number;
  /** An answer that was not read for this long gives way to others of its user. */
  readonly stalledMs: number;
}

/**
 * - 8 MiB of a connection: two answers of the largest size, or 128 streams of output that are not read.
 * - 16 MiB of a user: a connection that is not read leaves as much for the user's other connections.
 * - 128 MiB in all: eight users who read nothing.
 * - 30 s: a link of 1 Mbit/s has carried half of what a connection may hold by then.
 */
export const DEFAULT_ANSWER_LIMITS: AnswerLimits = {
  maxConnectionBytes: 8 * 1024 * 1024,
  maxUserBytes: 16 * 1024 * 1024,
  maxBytes: 128 * 1024 * 1024,
  stalledMs: 30_000,
};

/** Woken for each answer that leaves: what they make is counted when it is made, and may take all the room. */
const WAKE_COUNT = 16;

interface Waiter {
  readonly account: ConnectionAccount;
  readonly wake: () => void;
}

/** The answers of one server that have not left. */
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

  /** Bytes of answers that have not left. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Calls that wait for room. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** True when a further answer may be made. */
  hasRoom(account: ConnectionAccount): boolean {
    return account.answerBytes < this.limits.maxConnectionBytes &&
      account.owner.answerBytes < this.limits.maxUserBytes && this.#bytes < this.limits.maxBytes;
  }

  /**
   * Resolves when there may be room, or when the call is over; so ask hasRoom() again.
   *
   * @param over aborts when nobody waits for the answer any more
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

  /** Counts what is written to a stream until it has left. */
  meter(stream: ServerHttp2Stream): StreamMeter {
    let held = 0;
    let account: ConnectionAccount | undefined;
    const release = (bytes: number) => {
      if (bytes === 0 || account === undefined) return;
      held -= bytes;
      this.#add(account, -bytes);
      // Read in part: the rest has waited since now.
      account.unread.delete(stream);
      if (held > 0) account.unread.set(stream, performance.now());
      if (account.unread.size === 0) account.owner.unread.delete(account);
      if (this.#waiters.size > 0) this.#wake();
    };
    stream.once("close", () => release(held));
    return {
      queued: (bytes) => {
        account ??= stream.session && this.#accounts.find(stream.session as ServerHttp2Session);
        if (account === undefined || stream.destroyed) return;
        this.#add(account, bytes);
        if (held === 0) {
          account.unread.set(stream, performance.now());
          account.owner.unread.add(account);
        }
        held += bytes;
      },
      left: (bytes) => release(Math.min(bytes, held)),
    };
  }

  #add(account: ConnectionAccount, bytes: number): void {
    account.answerBytes += bytes;
    account.owner.answerBytes += bytes;
    this.#bytes += bytes;
  }

  /** Wakes those that have waited longest and may find room. */
  #wake(): void {
    let count = 0;
    for (const waiter of this.#waiters) {
      if (!this.hasRoom(waiter.account)) continue;
      this.#waiters.delete(waiter);
      waiter.wake();
      if (++count === WAKE_COUNT) return;
    }
  }

  /** Ends the streams that others of the same user, or of all, have waited for too long. */
  #endStalled(): void {
    this.#timer = undefined;
    const before = performance.now() - this.limits.stalledMs;
    const full = this.#bytes >= this.limits.maxBytes ? this.#largest() : undefined;
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
          // As gRPC maps RST_STREAM: the client sees RESOURCE_EXHAUSTED.
          (stream as ServerHttp2Stream).close(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
        }
      }
    }
    // Those that were woken last may have had no use for the room.
    this.#wake();
    if (this.#waiters.size > 0) this.#timer = setTimeout(() => this.#endStalled(), this.limits.stalledMs);
  }

  #largest(): UserAccount | undefined {
    let largest: UserAccount | undefined;
    for (const user of this.#accounts.users) if (user.answerBytes > (largest?.answerBytes ?? 0)) largest = user;
    return largest;
  }

  /** Waits for nothing any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const { wake } of this.#waiters) wake();
  }
}

/** What a stream tells of the bytes that it was given. */
export interface StreamMeter {
  queued(bytes: number): void;
  left(bytes: number): void;
}
