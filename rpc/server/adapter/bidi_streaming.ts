/** Lets a handler answer each message of a client's stream with one message of its own. */
import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import { contextOf, encode, type OpenCalls } from "./calls.ts";
import { holdOneMessage, Requests } from "./client_streaming.ts";
import type { Method } from "../../shared/definition.ts";
import { toServiceError } from "../status_error.ts";
import { requestReader } from "./read_request.ts";

// deno-lint-ignore no-explicit-any -- grpc-js knows the messages of a call by its method's name alone
type Message = any;

/**
 * Makes a grpc-js handler of a function that answers at once.
 *
 * The next message is read when the answer to the one before has left for the client, so a client that reads nothing costs
 * one answer.
 */
export function bidiStreamingHandler(
  method: Method,
  answer: (request: Message) => object,
  calls: OpenCalls,
): handleBidiStreamingCall<Message, Message> {
  const { limits } = calls;
  const read = requestReader(method);
  return (call) => {
    holdOneMessage(call);
    let ended: Error | undefined;
    const context = contextOf(call, method, calls, (reason) => {
      ended ??= reason;
    });
    const { signal } = context;
    // By itself the iterator destroys the call when the client has sent its last, and the answer's end would be lost.
    const requests = new Requests(call.iterator({ destroyOnReturn: false }), signal, {
      read,
      release: (bytes) => limits.release(call, bytes),
    });
    const refuse = (error: unknown) => void call.emit("error", toServiceError(error, method.path, calls.report));
    talk().then(() => call.end(), (error) => {
      // Of a client that has left nobody is left to be refused.
      if (!signal.aborted) refuse(error);
      else if (ended !== undefined) refuse(ended);
    });

    async function talk(): Promise<void> {
      for await (const request of requests) {
        const bytes = encode(method, answer(request));
        await new Promise<void>((resolve) => {
          const sent = () => {
            signal.removeEventListener("abort", sent);
            resolve();
          };
          // A call that is over never says that its message was sent.
          signal.addEventListener("abort", sent);
          call.write(bytes, sent);
        });
      }
    }
  };
}
