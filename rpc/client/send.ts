/** Calls that send a stream. Messages are taken from an async iterable as fast as they are sent. */
import type { Buffer } from "node:buffer";
import type { CallOptions } from "../../proto/service.ts";
import type { Channel } from "./channel.ts";
import { Metadata } from "./grpc.ts";
import { MessageMemory } from "../compat/sent_messages.ts";
import type { ClientMethod } from "./methods.ts";

/**
 * Sends the messages and resolves with the answer. The server may answer before it has all messages; the iterable's
 * return() is then called. An iterable that throws cancels the call, which rejects with the same error.
 *
 * @throws {CallError} when the call fails
 */
export function send(
  channel: Channel,
  method: ClientMethod,
  requests: AsyncIterable<object>,
  options: CallOptions = {},
): Promise<object> {
  const { promise, resolve, reject } = Promise.withResolvers<object>();
  /** Ends the wait for a message or for a write when the call is over. Neither may happen then. */
  let wake = () => {};
  let isOver = false;
  let thrown: { readonly error: unknown } | undefined;
  const { call, explain } = channel.open(options, (client, settings) =>
    client.makeClientStreamRequest(
      method.path,
      (message: Buffer) => message,
      method.responseDeserialize,
      new Metadata(),
      settings,
      (error, answer) => {
        isOver = true;
        wake();
        if (!error) resolve(answer!);
        else reject(thrown ? thrown.error : explain(error));
      },
    ));
  // The callback above gets the reason of a failed write.
  call.on("error", () => {});
  pump().catch((error) => {
    thrown = { error };
    call.cancel();
  });
  return promise;

  async function pump(): Promise<void> {
    const iterator = requests[Symbol.asyncIterator]();
    const memory = new MessageMemory();
    while (!isOver) {
      const step = await untilOver(iterator.next());
      if (step === undefined) break;
      if (step.done) {
        call.end();
        return;
      }
      // HTTP/2 has copied the message before grpc-js calls back. So the next one may have its memory.
      const message = method.requestSerialize(step.value, memory);
      await untilOver(new Promise<void>((sent) => call.write(message, () => sent())));
    }
    // This does not wait for return(), which may never resolve.
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
