/** Handlers of calls with streams in both directions, which answer each message with one message. */
import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import { readOneMessageAhead } from "../../compat/read_ahead.ts";
import type { Method } from "../../shared/definition.ts";
import { toServiceError } from "../status_error.ts";
import { contextOf, encode, type Message, type OpenCalls } from "./calls.ts";
import { requestReader } from "./read_request.ts";
import { RequestStream } from "./request_stream.ts";

/**
 * Makes a grpc-js handler of a function that returns the answer to one message.
 *
 * The next message is read only after the last answer was sent. So a client that reads nothing costs one answer.
 */
export function bidiStreamingHandler(
  method: Method,
  answer: (request: Message) => object,
  calls: OpenCalls,
): handleBidiStreamingCall<Message, Message> {
  const { limits } = calls;
  const read = requestReader(method);
  return (call) => {
    readOneMessageAhead(call);
    let ended: Error | undefined;
    const context = contextOf(call, method, calls, (reason) => {
      ended ??= reason;
    });
    const { signal } = context;
    // By default the iterator destroys the call after the client's last message, and the last answer would be lost.
    const requests = new RequestStream(call.iterator({ destroyOnReturn: false }), signal, {
      read,
      release: (bytes) => limits.release(call, bytes),
    });
    const fail = (error: unknown) => void call.emit("error", toServiceError(error, method.path, calls.report));
    answerAll().then(() => call.end(), (error) => {
      // A client that has left gets no error.
      if (!signal.aborted) fail(error);
      else if (ended !== undefined) fail(ended);
    });

    async function answerAll(): Promise<void> {
      for await (const request of requests) {
        const bytes = encode(method, answer(request));
        await new Promise<void>((resolve) => {
          const sent = () => {
            signal.removeEventListener("abort", sent);
            resolve();
          };
          // A call that is over never reports that its message was sent.
          signal.addEventListener("abort", sent);
          call.write(bytes, sent);
        });
      }
    }
  };
}
