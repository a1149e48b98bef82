/**
 * The limits of calls: which limit is checked when, and by which file. All counters of one user cover all of the user's
 * connections. Limits of connections are in `../connections/`.
 *
 * | when                          | limit                              | checked by          | over the limit              |
 * | ----------------------------- | ---------------------------------- | ------------------- | --------------------------- |
 * | a call arrives                | open calls and streams of the user | `user_accounts.ts`  | RESOURCE_EXHAUSTED          |
 * | a call was refused            | refused calls of the user in 10 s  | `refused_calls.ts`  | the connection is closed    |
 * | bytes of a request arrive     | size of one message, by its type   | `grpc_call.ts`      | RESOURCE_EXHAUSTED          |
 * | bytes of a request arrive     | bytes of open requests of the user | `user_accounts.ts`  | RESOURCE_EXHAUSTED          |
 * | a request is complete         | sizes and counts of its fields     | `request_check.ts`  | RESOURCE_EXHAUSTED          |
 * | before work on a call         | time of the event loop             | `loop_share.ts`     | the call waits              |
 * | before a large answer is made | one large answer at a time         | `loop_share.ts`     | the call waits              |
 * | before an answer is written   | bytes of unread answers            | `unread_answers.ts` | the call waits              |
 * | a call has waited for 30 s    | bytes of unread answers            | `unread_answers.ts` | the stalled stream is reset |
 *
 * The default values and their reasons are in `user_accounts.ts`, `unread_answers.ts` and `field_limits.ts`. The
 * handlers of `../adapter/` ask for room and turns; `../auth_interceptor.ts` calls `admit`.
 */
import type { ServerHttp2Session } from "node:http2";
import type { PeerCertificate } from "../../../proto/service.ts";
import { boundRequest, innerOf, type RequestMeter, sessionOf, streamOf } from "../../compat/grpc_call.ts";
import type { Method } from "../../shared/definition.ts";
import { maxMessageBytes } from "./field_limits.ts";
import { SenderWindows } from "../receive_window.ts";
import { LoopShare, Turns } from "./loop_share.ts";
import { type AnswerLimits, DEFAULT_ANSWER_LIMITS, UnreadAnswers } from "./unread_answers.ts";
import {
  type ConnectionAccount,
  DEFAULT_USER_LIMITS,
  type RefusalCause,
  UserAccounts,
  type UserLimits,
} from "./user_accounts.ts";

/**
 * Methods with answers of megabytes. Only one such answer is made at a time, so that many take no more memory than one.
 */
const LARGE_ANSWERS: ReadonlySet<string> = new Set(["/teleport.v1.JobWorker/List"]);

/**
 * Streams whose messages take milliseconds of the event loop, so that each message waits for its turn. For others, such
 * as a thousand watchers of one line of output, turns would only cost time.
 */
const LONG_STEPS: ReadonlySet<string> = new Set(["/teleport.v1.JobWorker/WatchJobs"]);

/** The bytes of open requests, for calls that read their requests one after another. */
const held = new WeakMap<object, OpenRequest>();

/** The bytes of the request of one open call. */
class OpenRequest implements RequestMeter {
  readonly #accounts: UserAccounts;
  readonly account: ConnectionAccount;
  readonly session: ServerHttp2Session;
  #bytes = 0;
  /** The bytes of requests that were handled. */
  handledBytes = 0;

  constructor(accounts: UserAccounts, account: ConnectionAccount, session: ServerHttp2Session) {
    this.#accounts = accounts;
    this.account = account;
    this.session = session;
  }

  received(bytes: number): string | undefined {
    const { owner } = this.account;
    const max = this.#accounts.limits.maxRequestBytes;
    if (owner.requestBytes + bytes > max) {
      this.#accounts.refuse("request_bytes", owner.user);
      return `A user must have at most ${max} bytes of requests open, over all connections: wait for some to end`;
    }
    this.#bytes += bytes;
    owner.requestBytes += bytes;
    return undefined;
  }

  /** Subtracts bytes, at most those that it has. */
  release(bytes: number): void {
    const released = Math.min(bytes, this.#bytes);
    this.#bytes -= released;
    this.handledBytes += released;
    this.account.owner.requestBytes -= released;
  }
}

/** A method, as an interceptor gets it. */
export type CalledMethod = Pick<Method, "path" | "requestStream" | "responseStream">;

/** The limits that the operator sets. */
export type CallLimitOptions = UserLimits & AnswerLimits;

/** The limits of the calls of one server. Its counters can be read at any time. */
export class CallLimits implements Disposable {
  readonly accounts: UserAccounts;
  readonly answers: UnreadAnswers;
  readonly share: LoopShare = new LoopShare();
  readonly #large = new Turns();
  readonly #windows = new SenderWindows();

  /** The names of request types by method path. Without an entry the smallest message limit holds. */
  readonly #requestTypes: ReadonlyMap<string, string>;

  /**
   * @param methods the methods with message limits of their own
   * @param limits the limits that differ from the defaults
   * @param onRefused receives each refusal
   */
  constructor(
    methods: Iterable<Method>,
    limits: Partial<CallLimitOptions> = {},
    onRefused: (cause: RefusalCause, user: string) => void = () => {},
  ) {
    this.#requestTypes = new Map([...methods].map(({ path, requestType }) => [path, requestType.name]));
    this.accounts = new UserAccounts({ ...DEFAULT_USER_LIMITS, ...limits }, onRefused);
    this.answers = new UnreadAnswers(this.accounts, { ...DEFAULT_ANSWER_LIMITS, ...limits });
  }

  /**
   * Counts a call until it ends, and limits its request.
   *
   * @throws {LimitReachedError} when the user has too many open calls
   */
  admit(call: object, method: CalledMethod, certificate: PeerCertificate): void {
    const { path } = method;
    const isStream = method.requestStream || method.responseStream;
    const stream = streamOf(call);
    const session = sessionOf(call);
    if (session === undefined || stream === undefined || stream.destroyed) return;
    const account = this.accounts.of(session, certificate);
    this.accounts.enter(account, path, isStream);
    this.#windows.adjust(session, account.calls, 0);
    const request = new OpenRequest(this.accounts, account, session);
    if (method.requestStream) held.set(innerOf(call)!, request);
    boundRequest(call, maxMessageBytes(this.#requestTypes.get(path) ?? ""), request);
    // Emitted once. The function that once() makes would cost 200 bytes of each open call.
    stream.on("close", () => {
      request.release(Infinity);
      this.accounts.leave(account, path, isStream);
    });
  }

  /** Returns the account of a call's connection. Undefined when grpc-js hides the stream. */
  accountOf(call: object): ConnectionAccount | undefined {
    const session = sessionOf(call);
    return session && this.accounts.find(session);
  }

  /** Subtracts a request of a stream that was handled from the user's open bytes. */
  release(call: object, bytes: number): void {
    const inner = innerOf(call);
    const request = inner && held.get(inner);
    if (request === undefined) return;
    request.release(bytes);
    this.#windows.adjust(request.session, request.account.calls, request.handledBytes);
  }

  /** Resolves when the server may make an answer. Returns undefined when it may now. */
  room(account: ConnectionAccount | undefined, over: AbortSignal): Promise<void> | undefined {
    if (account === undefined || this.answers.hasRoom(account)) return undefined;
    return this.#roomLater(account, over);
  }

  async #roomLater(account: ConnectionAccount, over: AbortSignal): Promise<void> {
    while (!over.aborted && !this.answers.hasRoom(account)) await this.answers.wait(account, over);
    over.throwIfAborted();
  }

  /** Resolves when a user's call has its turn. Returns undefined when that is now. */
  turn(account: ConnectionAccount | undefined): Promise<void> | undefined {
    return this.share.enter(account?.owner);
  }

  /**
   * Resolves when the server may make a large answer.
   *
   * @returns A function to call once it is made. Undefined for methods with small answers
   */
  async largeTurn(
    { path }: Method,
    account: ConnectionAccount | undefined,
    over: AbortSignal,
  ): Promise<(() => void) | undefined> {
    if (!LARGE_ANSWERS.has(path)) return undefined;
    while (true) {
      await this.room(account, over);
      const giveBack = await this.#large.take(account?.owner);
      if (over.aborted) giveBack();
      over.throwIfAborted();
      if (account === undefined || this.answers.hasRoom(account)) return giveBack;
      giveBack();
    }
  }

  /** Returns whether each message of the stream waits for its turn. */
  isLong({ path }: Method): boolean {
    return LONG_STEPS.has(path);
  }

  /** Returns whether only one answer of the method is made at a time. */
  isLarge({ path }: Method): boolean {
    return LARGE_ANSWERS.has(path);
  }

  /** Ends all waits for room. */
  [Symbol.dispose](): void {
    this.answers[Symbol.dispose]();
  }
}
