/** Lets handlers be async functions and async iterables: the one place that knows how grpc-js wants to be called. */
import type { handleServerStreamingCall, handleUnaryCall, ServerUnaryCall } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import type { CallContext, PeerCertificate } from "../../../proto/service.ts";
import { LimitReachedError, TeleportError } from "../../../mod.ts";
import type { Method } from "../../shared/definition.ts";
import { certificateOf, peerOf } from "../auth_interceptor.ts";
import { type InternalErrorReport, StatusError, toServiceError } from "../status_error.ts";
import type { CallLimits } from "../limits/call_limits.ts";
import { requestReader } from "./read_request.ts";

// What clients take at most unless told otherwise: a larger answer would fail there, with a worse sentence.
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Reading a request of this size, working on it and answering take milliseconds each: other calls come between. */
const HEAVY_BYTES = 65_536;

/** What callers are told from the moment a shutdown begins. */
export const SHUTDOWN_MESSAGE = "The server is shutting down: try again when it is back";

/** What all handlers of one server share. */
export class OpenCalls {
  readonly #open = new Map<(reason: Error) => void, PeerCertificate | undefined>();
  readonly report: InternalErrorReport;
  readonly limits: CallLimits;

  /**
   * @param report Told of the errors that callers are not told of
   * @param limits What each call waits for
   */
  constructor(report: InternalErrorReport, limits: CallLimits) {
    this.report = report;
    this.limits = limits;
  }

  /** Ends all open calls with UNAVAILABLE. */
  endAll(): void {
    const reason = new TeleportError("UNAVAILABLE", SHUTDOWN_MESSAGE);
    for (const end of this.#open.keys()) end(reason);
  }

  /** Ends the open calls of those whose certificates are meant. */
  endOf(meant: (certificate: PeerCertificate) => boolean, reason: Error): void {
    for (const [end, certificate] of this.#open) if (certificate && meant(certificate)) end(reason);
  }

  /** Counts a call as open until it is over. */
  add(end: (reason: Error) => void, over: AbortSignal, certificate: PeerCertificate | undefined): void {
    this.#open.set(end, certificate);
    over.addEventListener("abort", () => this.#open.delete(end), { once: true });
  }
}

// deno-lint-ignore no-explicit-any -- grpc-js knows the messages of a call by its method's name alone
type Message = any;

/** Makes a grpc-js handler of an async function. */
export function unaryHandler(
  method: Method,
  handler: (request: Message, context: CallContext) => Promise<object>,
  calls: OpenCalls,
): handleUnaryCall<Message, Message> {
  const { limits } = calls;
  const read = requestReader(method);
  const isLarge = limits.isLarge(method);
  return (call, respond) => {
    // The first answer counts: grpc-js sends no second.
    const refuse = (error: unknown) => respond(toServiceError(error, method.path, calls.report));
    const context = contextOf(call, method, calls, refuse);
    answer().catch(refuse);

    async function answer(): Promise<void> {
      const account = limits.accountOf(call);
      const { signal } = context;
      const giveBack = isLarge ? await limits.largeTurn(method, account, signal) : undefined;
      try {
        // Mostly there is nothing to wait for, and a promise for each call would cost all of them.
        await (limits.room(account, signal) ?? limits.turn(account));
        signal.throwIfAborted();
        const request = read(call.request);
        const isHeavy = call.request.length > HEAVY_BYTES;
        if (isHeavy) await limits.turn(account);
        const message = await handler(request, context);
        if (isHeavy) await limits.turn(account);
        // Many may have waited for the same event. What is encoded is written in the same go, and then counted.
        const room = limits.room(account, signal);
        if (room !== undefined) await room;
        respond(null, encode(method, message));
      } finally {
        giveBack?.();
      }
    }
  };
}

/**
 * Makes a grpc-js handler of a function that gives an async iterable.
 *
 * A message is taken from the iterable only when the one before has left for the client, so a client that reads nothing
 * costs one message. When the call is over, the iterable is left: its return() is called, and its signal aborts.
 */
export function serverStreamingHandler(
  method: Method,
  handler: (request: Message, context: CallContext) => AsyncIterable<object>,
  calls: OpenCalls,
): handleServerStreamingCall<Message, Message> {
  const { limits } = calls;
  const read = requestReader(method);
  const isLong = limits.isLong(method);
  return (call) => {
    let wake = () => {};
    let ended: Error | undefined;
    const context = contextOf(call, method, calls, (reason) => {
      ended ??= reason;
    });
    context.signal.addEventListener("abort", () => wake(), { once: true });
    const refuse = (error: unknown) => void call.emit("error", toServiceError(error, method.path, calls.report));
    const account = limits.accountOf(call);
    pump().then(() => ended ? refuse(ended) : call.end(), refuse);

    async function pump(): Promise<void> {
      const turn = limits.turn(account);
      if (turn !== undefined) await untilOver(turn);
      const iterator = handler(read(call.request), context)[Symbol.asyncIterator]();
      let left = true;
      try {
        while (!context.signal.aborted) {
          // Answers before this one have not left, or others have the loop. Mostly there is nothing to wait for.
          const free = limits.room(account, context.signal) ?? (isLong ? limits.turn(account) : undefined);
          if (free !== undefined) await untilOver(free);
          const step = await untilOver(iterator.next());
          if (step === undefined) break;
          if (step.done) {
            left = false;
            break;
          }
          const room = limits.room(account, context.signal);
          if (room !== undefined) await untilOver(room);
          if (context.signal.aborted) break;
          // Encoded and written in one go: the bytes may be overwritten by the next message of any stream.
          const bytes = encode(method, step.value);
          await untilOver(new Promise<void>((sent) => call.write(bytes, () => sent())));
        }
      } catch (error) {
        // What the iterator threw ended it; what encoding threw did not, and return() does no harm to an ended one.
        await leave(iterator);
        throw error;
      }
      if (left) await leave(iterator);
    }

    /**
     * Settles as the promise does, or with undefined when the call is over: a cancelled call neither drains nor calls
     * back. Not Promise.race, which would hold on to every message of a long stream until the call ends.
     */
    function untilOver<T>(promise: Promise<T>): Promise<T | undefined> {
      if (context.signal.aborted) {
        promise.catch(() => {});
        return Promise.resolve(undefined);
      }
      return new Promise((resolve, reject) => {
        wake = () => resolve(undefined);
        promise.then(resolve, reject);
      });
    }

    /** An error while leaving reaches nobody who called, so the log is where it goes. */
    async function leave(iterator: AsyncIterator<object>): Promise<void> {
      try {
        await iterator.return?.();
      } catch (error) {
        if (!context.signal.aborted || error !== context.signal.reason) calls.report(error, method.path);
      }
    }
  };
}

/** What a handler knows of its call. `end` is what a shutdown ends the call by, besides its signal. */
export function contextOf(
  call: Pick<ServerUnaryCall<Message, Message>, "getPeer" | "getAuthContext"> & {
    once(event: "cancelled", listener: () => void): unknown;
  },
  method: Method,
  calls: OpenCalls,
  end: (reason: Error) => void,
): CallContext {
  const over = new AbortController();
  const abort = () => over.abort(new StatusError("CANCELLED", "The call is over"));
  // Comes once for every call, also after a normal end.
  call.once("cancelled", abort);
  const certificate = certificateOf(call);
  calls.add(
    (reason) => {
      end(reason);
      abort();
    },
    over.signal,
    certificate,
  );
  const { limits } = calls;
  const account = limits.accountOf(call);
  return {
    signal: over.signal,
    method: method.path,
    peer: peerOf(call),
    ...(certificate && { certificate }),
    turn: () => limits.turn(account),
  };
}

/** Encoded here and not by grpc-js, so that a failure is refused and reported like any other. */
export function encode(method: Method, message: object): Buffer {
  const bytes = method.responseSerialize(message);
  if (bytes.length > MAX_ANSWER_BYTES) {
    throw new LimitReachedError(
      `The answer of "${bytes.length}" bytes is larger than "${MAX_ANSWER_BYTES}": ask for less at a time`,
    );
  }
  return bytes;
}
