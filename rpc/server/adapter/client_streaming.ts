/**
 * Handlers of calls with a stream of requests: makes a grpc-js handler of an async function that takes an async
 * iterable.
 */
import type { handleClientStreamingCall } from "@grpc/grpc-js";
import type { CallContext } from "../../../proto/service.ts";
import { readOneMessageAhead } from "../../compat/read_ahead.ts";
import type { Method } from "../../shared/definition.ts";
import { toServiceError } from "../status_error.ts";
import { contextOf, encode, type Message, type OpenCalls } from "./calls.ts";
import { requestReader } from "./read_request.ts";
import { RequestStream } from "./request_stream.ts";

/**
 * Makes a grpc-js handler of an async function that takes a stream.
 *
 * The next message is read when the handler asks for it. So a handler that asks for none costs a few messages and the
 * HTTP/2 window. The handler may answer at any time; later messages of the client are dropped.
 */
export function clientStreamingHandler(
  method: Method,
  handler: (requests: AsyncIterable<Message>, context: CallContext) => Promise<object>,
  calls: OpenCalls,
): handleClientStreamingCall<Message, Message> {
  const { limits } = calls;
  const read = requestReader(method);
  return (call, respond) => {
    readOneMessageAhead(call);
    // Only the first answer counts: grpc-js ignores a second.
    const fail = (error: unknown) => respond(toServiceError(error, method.path, calls.report));
    const context = contextOf(call, method, calls, fail);
    const requests = new RequestStream(call[Symbol.asyncIterator](), context.signal, {
      read,
      release: (bytes) => limits.release(call, bytes),
    });
    answer().then((bytes) => respond(null, bytes), (error) => {
      // When the client has left, this is not a failure.
      if (!context.signal.aborted || error !== context.signal.reason) fail(error);
    });

    async function answer() {
      return encode(method, await handler(requests, context));
    }
  };
}
