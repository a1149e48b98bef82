/** A client's call that sends a stream: messages are taken from an async iterable as fast as they leave. */
import * as grpc from "@grpc/grpc-js";
import type { CallOptions } from "../../proto/service.ts";
import type { Channel } from "./channel.ts";
import type { Method } from "../shared/definition.ts";

/**
 * Sends the messages and resolves with the answer, which the server may give before it has all of them: the iterable is
 * then left. One that throws cancels the call, which then rejects with what was thrown.
 *
 * @throws {CallError} when the call fails
 */
export function send(
  channel: Channel,
  method: Method,
  requests: AsyncIterable<object>,
  options: CallOptions = {},
): Promise<object> {
  const { promise, resolve, reject } = Promise.withResolvers<object>();
  /** Tells whoever waits for a message, or for one to leave, that the call is over: neither need ever happen then. */
  let wake = () => {};
  let isOver = false;
  let thrown: { readonly error: unknown } | undefined;
  const { call, explain } = channel.open(options, (client, settings) =>
    client.makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      new grpc.Metadata(),
      settings,
      (error, answer) => {
        isOver = true;
        wake();
        if (!error) resolve(answer);
        else reject(thrown ? thrown.error : explain(error));
      },
    ));
  // Of a write that failed, for which the answer says why.
  call.on("error", () => {});
  pump().catch((error) => {
    thrown = { error };
    call.cancel();
  });
  return promise;

  async function pump(): Promise<void> {
    const iterator = requests[Symbol.asyncIterator]();
    while (!isOver) {
      const step = await untilOver(iterator.next());
      if (step === undefined) break;
      if (step.done) {
        call.end();
        return;
      }
      await untilOver(new Promise<void>((sent) => call.write(step.value, () => sent())));
    }
    // Not waited for: it may wait itself for what never comes.
    Promise.resolve(iterator.return?.()).catch(() => {});
  }

  function untilOver<T>(step: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      wake = () => resolve(undefined);
      if (isOver) wake();
      step.then(resolve, reject);
    });
  }
}
