/** Handlers of calls with a stream of answers: makes a grpc-js handler of a function that returns an async iterable. */
import type { handleServerStreamingCall } from "@grpc/grpc-js";
import type { CallContext } from "../../../proto/service.ts";
import type { Method } from "../../shared/definition.ts";
import { toServiceError } from "../status_error.ts";
import { contextOf, encode, type Message, type OpenCalls } from "./calls.ts";
import { requestReader } from "./read_request.ts";

/**
 * Makes a grpc-js handler of a function that returns an async iterable.
 *
 * The handler takes the next message only after the last one was sent. So a client that reads nothing costs one
 * message. When the call is over, the iterable's return() is called and its signal aborts.
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
    const fail = (error: unknown) => void call.emit("error", toServiceError(error, method.path, calls.report));
    const account = limits.accountOf(call);
    pump().then(() => ended ? fail(ended) : call.end(), fail);

    async function pump(): Promise<void> {
      const turn = limits.turn(account);
      if (turn !== undefined) await untilOver(turn);
      const iterator = handler(read(call.request), context)[Symbol.asyncIterator]();
      let isUnfinished = true;
      try {
        while (!context.signal.aborted) {
          // Waits for earlier answers to be sent, or for the event loop. Usually no wait is needed.
          const free = limits.room(account, context.signal) ?? (isLong ? limits.turn(account) : undefined);
          if (free !== undefined) await untilOver(free);
          const step = await untilOver(iterator.next());
          if (step === undefined) break;
          if (step.done) {
            isUnfinished = false;
            break;
          }
          const room = limits.room(account, context.signal);
          if (room !== undefined) await untilOver(room);
          if (context.signal.aborted) break;
          // Encoding and writing are one step: the next message of any stream may overwrite the bytes.
          const bytes = encode(method, step.value);
          await untilOver(new Promise<void>((sent) => call.write(bytes, () => sent())));
        }
      } catch (error) {
        // An error of encode() leaves the iterator open. An error of the iterator ended it; return() then does nothing.
        await leave(iterator);
        throw error;
      }
      if (isUnfinished) await leave(iterator);
    }

    /**
     * Settles as the promise does, or with undefined when the call is over. A cancelled call never drains and never
     * calls back. Promise.race would keep every message of a long stream until the call ends.
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

    /** Calls return(). The client cannot get its error, so the error is reported. */
    async function leave(iterator: AsyncIterator<object>): Promise<void> {
      try {
        await iterator.return?.();
      } catch (error) {
        if (!context.signal.aborted || error !== context.signal.reason) calls.report(error, method.path);
      }
    }
  };
}
