/** Accounts of the server's users: their open calls and streams, and bytes of requests and answers. */
import type { ServerHttp2Session } from "node:http2";
import { LimitReachedError } from "../../../mod.ts";
import type { PeerCertificate } from "../../../proto/service.ts";

/** The limits of one user, over all connections. */
export interface UserLimits {
  /** Open calls with one request and one answer. */
  readonly maxCalls: number;
  /** Open calls with a stream of requests or answers. */
  readonly maxStreams: number;
  /** Bytes of requests that are not complete, or whose calls are open. */
  readonly maxRequestBytes: number;
}

/**
 * - 1,000 calls: programs make some tens at a time. Each takes about 20 KB while it waits.
 * - 2,000 streams: twice the 1,000 watchers of one job that must work. Each takes 18 KB while it is quiet, and 40 KB with garbage.
 * - 32 MiB of requests: 16 of the largest jobs at a time. Most requests have less than a kilobyte.
 */
export const DEFAULT_USER_LIMITS: UserLimits = {
  maxCalls: 1_000,
  maxStreams: 2_000,
  maxRequestBytes: 32 * 1024 * 1024,
};

/** Why a call was refused or ended. Stable: metrics use it as a name. */
export type RefusalCause = "calls" | "streams" | "request_bytes" | "answers_unread";

/** The open calls and bytes of one user. */
export class UserAccount {
  readonly user: string;
  calls = 0;
  streams = 0;
  requestBytes = 0;
  /** Bytes of answers that were not sent. */
  answerBytes = 0;
  /** The connections of the user with unsent bytes. */
  readonly unread = new Set<ConnectionAccount>();

  constructor(user: string) {
    this.user = user;
  }
}

/** The open calls and the unsent bytes of one connection. */
export class ConnectionAccount {
  readonly owner: UserAccount;
  calls = 0;
  answerBytes = 0;
  /** Streams with unsent bytes, and since when; the longest wait first. */
  readonly unread = new Map<object, number>();

  constructor(owner: UserAccount) {
    this.owner = owner;
  }
}

/** The accounts of all users with open calls. */
export class UserAccounts {
  readonly limits: UserLimits;
  /** Refusals since the start, by cause. */
  readonly refusals: Record<RefusalCause, number> = { calls: 0, streams: 0, request_bytes: 0, answers_unread: 0 };
  /** Open calls and streams, by method path. */
  readonly open = new Map<string, number>();
  readonly #onRefused: (cause: RefusalCause, user: string) => void;
  readonly #users = new Map<string, UserAccount>();
  readonly #connections = new WeakMap<ServerHttp2Session, ConnectionAccount>();

  /** @param onRefused receives each refusal */
  constructor(limits: UserLimits, onRefused: (cause: RefusalCause, user: string) => void) {
    this.limits = limits;
    this.#onRefused = onRefused;
  }

  /** Returns the account of a connection whose certificate is accepted. */
  of(session: ServerHttp2Session, certificate: PeerCertificate): ConnectionAccount {
    const known = this.#connections.get(session);
    if (known !== undefined && this.#users.get(known.owner.user) === known.owner) return known;
    // One user may have several certificates.
    const user = certificate.commonNames.join("\n");
    let owner = this.#users.get(user);
    if (owner === undefined) this.#users.set(user, owner = new UserAccount(user));
    const account = new ConnectionAccount(owner);
    this.#connections.set(session, account);
    return account;
  }

  /** Returns the account of a connection. Undefined before its first call. */
  find(session: ServerHttp2Session): ConnectionAccount | undefined {
    return this.#connections.get(session);
  }

  /**
   * Counts a new call, until {@linkcode leave}.
   *
   * @throws {LimitReachedError} when the user has too many open calls
   */
  enter(account: ConnectionAccount, method: string, isStream: boolean): void {
    const { owner } = account;
    const kind = isStream ? "streams" : "calls";
    const max = isStream ? this.limits.maxStreams : this.limits.maxCalls;
    if (owner[kind] >= max) {
      this.refuse(kind, owner.user);
      throw new LimitReachedError(
        `A user must have at most ${max} ${kind} open, over all connections: wait for some to end`,
      );
    }
    owner[kind] += 1;
    account.calls += 1;
    this.open.set(method, (this.open.get(method) ?? 0) + 1);
  }

  /** Ends the count of a call. */
  leave(account: ConnectionAccount, method: string, isStream: boolean): void {
    const { owner } = account;
    account.calls -= 1;
    owner[isStream ? "streams" : "calls"] -= 1;
    this.open.set(method, (this.open.get(method) ?? 1) - 1);
    if (owner.calls + owner.streams === 0) this.#users.delete(owner.user);
  }

  /** Counts and reports a refusal. */
  refuse(cause: RefusalCause, user: string): void {
    this.refusals[cause] += 1;
    this.#onRefused(cause, user);
  }

  /** Bytes of answers of all users that were not sent. */
  get answerBytes(): number {
    let bytes = 0;
    for (const { answerBytes } of this.#users.values()) bytes += answerBytes;
    return bytes;
  }

  /** The users with open calls. */
  get users(): Iterable<UserAccount> {
    return this.#users.values();
  }
}
