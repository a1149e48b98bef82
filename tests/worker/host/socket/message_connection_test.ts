/** Tests of the queue of a connection whose peer does not read. */
import assert from "node:assert/strict";
import { MessageConnection } from "../../../../worker/host/socket/message_connection.ts";
import { RemoteJobHost } from "../../../../worker/host/socket/remote_job_host.ts";
import { deadline } from "../../../support/deadline.ts";
import { FakeHost } from "./fake_host.ts";

/** A stream whose peer reads nothing until `release()`. */
class BlockedStream {
  readonly #ended = Promise.withResolvers<null>();
  readonly #released = Promise.withResolvers<void>();
  written = "";

  release(): void {
    this.#released.resolve();
  }

  read(): Promise<null> {
    return this.#ended.promise;
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#released.promise;
    this.written += new TextDecoder().decode(bytes);
    return bytes.length;
  }

  close(): void {
    this.#ended.resolve(null);
  }
}

Deno.test("RemoteJobHost.setRoom() queues only the newest room while the host reads nothing", async () => {
  const stream = new BlockedStream();
  const connection = new MessageConnection(stream);
  const link = new RemoteJobHost(connection, new FakeHost("host-1").info);
  link.forget("a");
  await Promise.resolve();
  const before = connection.queuedBytes;
  for (let bytes = 1; bytes <= 10_000; bytes++) link.setRoom(bytes);
  await Promise.resolve();
  assert.equal(connection.queuedBytes, before);
  stream.release();
  await deadline((async () => {
    while (!stream.written.includes("setRoom")) await new Promise((resolve) => setTimeout(resolve, 1));
  })());
  assert.deepEqual(stream.written.match(/"setRoom","args":\[\d+\]/g), ['"setRoom","args":[10000]']);
  await link.close();
});
