/** Handlers of calls with one request and one answer: makes a grpc-js handler of an async function. */
import type { handleUnaryCall } from "@grpc/grpc-js";
import type { CallContext } from "../../../proto/service.ts";
import type { Method } from "../../shared/definition.ts";
import { toServiceError } from "../status_error.ts";
import { contextOf, encode, type Message, type OpenCalls } from "./calls.ts";
import { requestReader } from "./read_request.ts";

/** To read, handle and answer a request of this size takes milliseconds each. Other calls run between the steps. */
const HEAVY_BYTES = 65_536;

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
    // Only the first answer counts: grpc-js ignores a second.
    const fail = (error: unknown) => respond(toServiceError(error, method.path, calls.report));
    const context = contextOf(call, method, calls, fail);
    answer().catch(fail);

    async function answer(): Promise<void> {
      const account = limits.accountOf(call);
      const { signal } = context;
      const giveBack = isLarge ? await limits.largeTurn(method, account, signal) : undefined;
      try {
        // Usually no wait is needed. A promise for each call would slow down all of them.
        await (limits.room(account, signal) ?? limits.turn(account));
        signal.throwIfAborted();
        const request = read(call.request);
        const isHeavy = call.request.length > HEAVY_BYTES;
        if (isHeavy) await limits.turn(account);
        const message = await handler(request, context);
        if (isHeavy) await limits.turn(account);
        // Many calls may have waited for one event. Encoding and writing in one step keeps the count exact.
        const room = limits.room(account, signal);
        if (room !== undefined) await room;
        respond(null, encode(method, message));
      } finally {
        giveBack?.();
      }
    }
  };
}
