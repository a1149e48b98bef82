/** What each call takes of the server, and what it waits for before it takes more. */
import type { ServerHttp2Session } from "node:http2";
import type { PeerCertificate } from "../../../proto/service.ts";
import { boundRequest, innerOf, streamOf } from "../../compat/grpc_call.ts";
import type { Method } from "../../shared/definition.ts";
import { maxMessageBytes } from "./field_limits.ts";
import { LoopShare, Turns } from "./loop_share.ts";
import { type AnswerLimits, DEFAULT_ANSWER_LIMITS, UnreadAnswers } from "./unread_answers.ts";
import {
  type ConnectionAccount,
  DEFAULT_USER_LIMITS,
  type RefusalCause,
  UserAccounts,
  type UserLimits,
} from "./user_accounts.ts";

/** Answers of megabytes: one is made at a time, so that a crowd takes no more memory than one call. */
const LARGE_ANSWERS: ReadonlySet<string> = new Set(["/teleport.v1.JobWorker/List"]);

/**
 * Streams that take milliseconds of the loop for a message, of which each takes its turn. A thousand who wait for a line of
 * output would only lose time by taking turns.
 */
const LONG_STEPS: ReadonlySet<string> = new Set(["/teleport.v1.JobWorker/WatchJobs"]);

/** The bytes of a request that are held, for calls whose requests are read one after another. */
const held = new WeakMap<object, { release(bytes: number): void }>();

/** A method as an interceptor sees it. */
export type CalledMethod = Pick<Method, "path" | "requestStream" | "responseStream">;

/** What one user may hold, and what may wait to be read. */
export type CallLimitOptions = UserLimits & AnswerLimits;

/** The limits of the calls of one server. All counters may be read at any time. */
export class CallLimits implements Disposable {
  readonly accounts: UserAccounts;
  readonly answers: UnreadAnswers;
  readonly share: LoopShare = new LoopShare();
  readonly #large = new Turns();

  /** The names of the types of requests, by path; of other services than ours none. */
  readonly #requestTypes: ReadonlyMap<string, string>;

  /**
   * @param methods those with limits of their own
   * @param onRefused told of each refusal
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
   * Counts a call that was admitted until it is over, and bounds its request.
   *
   * @throws {LimitReachedError} When the user has too many open
   */
  admit(call: object, method: CalledMethod, certificate: PeerCertificate): void {
    const { path } = method;
    const isStream = method.requestStream || method.responseStream;
    const stream = streamOf(call);
    if (stream?.session === undefined || stream.destroyed) return;
    const account = this.accounts.of(stream.session as ServerHttp2Session, certificate);
    const leave = this.accounts.enter(account, path, isStream);
    const { owner } = account;
    const max = this.accounts.limits.maxRequestBytes;
    let bytes = 0;
    const inner = innerOf(call)!;
    held.set(inner, {
      release: (count) => {
        const released = Math.min(count, bytes);
        bytes -= released;
        owner.requestBytes -= released;
      },
    });
    boundRequest(call, maxMessageBytes(this.#requestTypes.get(path) ?? ""), (count) => {
      if (owner.requestBytes + count > max) {
        this.accounts.refuse("request_bytes", owner.user);
        return `A user must have at most ${max} bytes of requests open, over all connections: wait for some to end`;
      }
      bytes += count;
      owner.requestBytes += count;
      return undefined;
    });
    stream.once("close", () => {
      owner.requestBytes -= bytes;
      bytes = 0;
      leave();
    });
  }

  /** The account of a call's connection; undefined where grpc-js hides its stream. */
  accountOf(call: object): ConnectionAccount | undefined {
    const session = streamOf(call)?.session as ServerHttp2Session | undefined;
    return session && this.accounts.find(session);
  }

  /** A message of a call with a stream of requests was worked off. */
  release(call: object, bytes: number): void {
    const inner = innerOf(call);
    if (inner !== undefined) held.get(inner)?.release(bytes);
  }

  /** Resolves when an answer may be made; undefined when that is now. */
  room(account: ConnectionAccount | undefined, over: AbortSignal): Promise<void> | undefined {
    if (account === undefined || this.answers.hasRoom(account)) return undefined;
    return this.#roomLater(account, over);
  }

  async #roomLater(account: ConnectionAccount, over: AbortSignal): Promise<void> {
    while (!over.aborted && !this.answers.hasRoom(account)) await this.answers.wait(account, over);
    over.throwIfAborted();
  }

  /** Resolves when it is the turn of a user's call; undefined when that is now. */
  turn(account: ConnectionAccount | undefined): Promise<void> | undefined {
    return this.share.enter(account?.owner);
  }

  /**
   * Resolves when a large answer may be made.
   *
   * @returns To be called when it is made; undefined for methods of small answers
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

  /** True for streams of which each message takes its turn. */
  isLong({ path }: Method): boolean {
    return LONG_STEPS.has(path);
  }

  /** True for methods whose answers are made one at a time. */
  isLarge({ path }: Method): boolean {
    return LARGE_ANSWERS.has(path);
  }

  /** Lets nobody wait any more. */
  [Symbol.dispose](): void {
    this.answers[Symbol.dispose]();
  }
}
