/** Tests of rpc/compat/sent_messages.ts: messages of a stream are sent from memory that is used again. */
import { CompressionFilter } from "@grpc/grpc-js/build/src/compression-filter.js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MessageMemory, sendWithoutCopies } from "../../../rpc/compat/sent_messages.ts";
import { connectTo, serveLocally } from "../../support/rpc_server.ts";
import { someBytes } from "../../support/random.ts";

const { sendMessage } = CompressionFilter.prototype;
sendWithoutCopies();

/** Returns the frame that a channel sends for a message. */
async function frameOf(message: Buffer): Promise<Buffer> {
  const filter = new CompressionFilter({ "grpc.max_send_message_length": -1 }, {});
  return (await filter.sendMessage(Promise.resolve({ message, flags: 0 }))).message;
}

/** Puts data into memory, as a message. */
function messageIn(memory: MessageMemory, data: Uint8Array): Buffer {
  const bytes = memory.take(data.length);
  bytes.set(data);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

Deno.test("sendWithoutCopies() replaces the function of grpc-js, and its frames are the same", async () => {
  assert.notEqual(CompressionFilter.prototype.sendMessage, sendMessage);
  const memory = new MessageMemory();
  for (const length of [0, 1, 70_000, 65_536, 262_160, 65_537]) {
    const data = someBytes(length);
    const message = messageIn(memory, data);
    const frame = await frameOf(message);
    assert.ok(frame.equals(await frameOf(Buffer.from(data))), `${length} bytes`);
    assert.equal(frame.buffer === message.buffer, length > 65_536);
  }
});

Deno.test("sendWithoutCopies() is still needed because grpc-js copies each message into a new frame", async () => {
  const message = messageIn(new MessageMemory(), someBytes(70_000));
  const { sendCompression } = new CompressionFilter({}, {}) as unknown as {
    readonly sendCompression: { writeMessage(message: Buffer, isCompressed: boolean): Promise<Buffer> };
  };
  const frame = await sendCompression.writeMessage(message, false);
  assert.equal(frame.length, 70_005);
  assert.ok(frame.buffer !== message.buffer);
});

Deno.test("MessageMemory.take() uses its memory again for a long message that fits", () => {
  const memory = new MessageMemory();
  const { buffer } = memory.take(100_000);
  assert.equal(memory.take(70_000).buffer, buffer);
  assert.equal(memory.take(100_000).buffer, buffer);
  // grpc-js may keep a short message.
  assert.notEqual(memory.take(65_536).buffer, buffer);
  assert.notEqual(memory.take(100_001).buffer, buffer);
});

Deno.test("Streams of one connection at the same time keep their messages apart", async () => {
  const received = new Map<string, Uint8Array[]>();
  await using server = await serveLocally({
    async Input(requests) {
      let id = "";
      for await (const { id: given, data } of requests) {
        id ||= given;
        received.set(id, [...received.get(id) ?? [], new Uint8Array(data)]);
      }
      return {};
    },
  });
  await using client = connectTo(server);
  const sizes = [290_000, 16_384, 100_000, 1, 70_000];
  await Promise.all(Array.from({ length: 4 }, (_, number) =>
    client.calls.Input((async function* () {
      yield { id: String(number) };
      for (const size of sizes) yield await Promise.resolve({ data: new Uint8Array(size).fill(number) });
    })())));
  for (const [id, [first, ...rest]] of received) {
    assert.equal(first?.length, 0);
    assert.deepEqual(rest.map(({ length }) => length), sizes);
    const isOwn = (data: Uint8Array) => Buffer.from(data).equals(Buffer.alloc(data.length, Number(id)));
    assert.ok(rest.every(isOwn), `Stream ${id} has other data`);
  }
  assert.equal(received.size, 4);
});
