/** What each user holds of the server at a time: calls, streams, bytes of requests and of answers. */
import type { ServerHttp2Session } from "node:http2";
import { LimitReachedError } from "../../../mod.ts";
import type { PeerCertificate } from "../../../proto/service.ts";

/** What one user may hold at a time, over all connections. */
export interface UserLimits {
  /** Calls with one request and one answer. */
  readonly maxCalls: number;
  /** Calls that send or take a stream. */
  readonly maxStreams: number;
  /** Bytes of requests that are not whole, or whose calls still run. */
  readonly maxRequestBytes: number;
}

/**
 * - 1,000 calls: programs make some tens at a time; each takes some 20 KB while it waits.
 * - 2,000 streams: 1,000 watchers of a job must work, twice. Each takes some 30 KB, so a user takes 60 MB at most.
 * - 32 MiB of requests: 16 of the largest jobs at a time; most requests have less than a kilobyte.
 */
export const DEFAULT_USER_LIMITS: UserLimits = {
  maxCalls: 1_000,
  maxStreams: 2_000,
  maxRequestBytes: 32 * 1024 * 1024,
};

/** Why a call was refused. */
export type RefusalCause = "calls" | "streams" | "request_bytes" | "answers_unread";

/** What one user holds now. */
export class UserAccount {
  readonly user: string;
  calls = 0;
  streams = 0;
  requestBytes = 0;
  /** Bytes of answers that have not left. */
  answerBytes = 0;
  /** The connections of the user that hold bytes of answers. */
  readonly unread = new Set<ConnectionAccount>();

  constructor(user: string) {
    this.user = user;
  }
}

/** What one connection holds now. */
export class ConnectionAccount {
  readonly owner: UserAccount;
  answerBytes = 0;
  /** Streams with bytes that have not left, those that have waited longest first, and since when. */
  readonly unread = new Map<object, number>();

  constructor(owner: UserAccount) {
    this.owner = owner;
  }
}

/** The accounts of all users with open calls. */
export class UserAccounts {
  readonly limits: UserLimits;
  /** Refusals so far, by their cause. */
  readonly refusals: Record<RefusalCause, number> = { calls: 0, streams: 0, request_bytes: 0, answers_unread: 0 };
  /** Open calls and streams, by method. */
  readonly open = new Map<string, number>();
  readonly #onRefused: (cause: RefusalCause, user: string) => void;
  readonly #users = new Map<string, UserAccount>();
  readonly #connections = new WeakMap<ServerHttp2Session, ConnectionAccount>();

  /** @param onRefused told of each refusal */
  constructor(limits: UserLimits, onRefused: (cause: RefusalCause, user: string) => void) {
    this.limits = limits;
    this.#onRefused = onRefused;
  }

  /** The account of a connection whose certificate is accepted. */
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

  /** The account of a connection, where a call of it is open. */
  find(session: ServerHttp2Session): ConnectionAccount | undefined {
    return this.#connections.get(session);
  }

  /**
   * Opens a call.
   *
   * @returns Closes it
   * @throws {LimitReachedError} When the user has too many open already
   */
  enter({ owner }: ConnectionAccount, method: string, isStream: boolean): () => void {
    const kind = isStream ? "streams" : "calls";
    const max = isStream ? this.limits.maxStreams : this.limits.maxCalls;
    if (owner[kind] >= max) {
      this.refuse(kind, owner.user);
      throw new LimitReachedError(
        `A user must have at most ${max} ${kind} open, over all connections: wait for some to end`,
      );
    }
    owner[kind] += 1;
    this.open.set(method, (this.open.get(method) ?? 0) + 1);
    return () => {
      owner[kind] -= 1;
      this.open.set(method, (this.open.get(method) ?? 1) - 1);
      if (owner.calls + owner.streams === 0) this.#users.delete(owner.user);
    };
  }

  /** Counts a refusal. */
  refuse(cause: RefusalCause, user: string): void {
    this.refusals[cause] += 1;
    this.#onRefused(cause, user);
  }

  /** Bytes of answers that have not left, of all users. */
  get answerBytes(): number {
    let bytes = 0;
    for (const { answerBytes } of this.#users.values()) bytes += answerBytes;
    return bytes;
  }

  /** Users with open calls. */
  get users(): Iterable<UserAccount> {
    return this.#users.values();
  }
}
