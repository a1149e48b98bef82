/** Tests how messages become bytes and bytes become messages. */
import assert from "node:assert/strict";
import {
  encodeMessage,
  MAX_MESSAGE_BYTES,
  type Message,
  MessageReader,
  ProtocolError,
} from "../../../../worker/host/socket/message_codec.ts";
import { joinBytes } from "../../../../base/join_bytes.ts";
import { Random, seedFor } from "../../../support/random.ts";

/** Reads bytes in parts of random sizes. */
function readAll(bytes: Uint8Array, random: Random, maxBytes = MAX_MESSAGE_BYTES): Message[] {
  const reader = new MessageReader(maxBytes);
  const messages: Message[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = reader.space();
    assert.ok(space.length > 0);
    const count = Math.min(space.length, bytes.length - at, 1 + random.below(random.chance(0.5) ? 10 : 200_000));
    space.set(bytes.subarray(at, at + count));
    reader.filled(count);
    at += count;
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      // The next read overwrites the data.
      messages.push({ ...message, data: message.data.slice() });
    }
  }
  return messages;
}

Deno.test("MessageReader returns what encodeMessage() was given, wherever the bytes are cut", () => {
  const random = new Random(seedFor("cut messages"));
  for (let round = 0; round < 100; round++) {
    const sent = Array.from({ length: 1 + random.below(20) }, () => ({
      body: {
        at: new Date(random.below(1e9)),
        text: "ä\u0000€".repeat(random.below(random.chance(0.1) ? 100_000 : 20)),
      },
      data: random.bytes(random.chance(0.1) ? 300_000 : random.below(20)),
    }));
    const received = readAll(joinBytes(sent.map(({ body, data }) => encodeMessage(body, data))), random);
    assert.deepEqual(received, sent);
  }
});

Deno.test("MessageReader throws only a ProtocolError, and keeps no more memory than bytes have arrived", () => {
  const random = new Random(seedFor("damaged messages"));
  const good = joinBytes(Array.from({ length: 5 }, (_, n) => encodeMessage({ call: n, name: "work", args: [] })));
  for (let round = 0; round < 5_000; round++) {
    const bytes = random.chance(0.2) ? random.bytes(random.below(100)) : good.slice();
    for (let count = 1 + random.below(4); count > 0; count--) bytes[random.below(bytes.length)] = random.below(256);
    try {
      readAll(bytes.subarray(0, random.below(bytes.length + 1)), random);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error));
    }
  }
  const reader = new MessageReader(MAX_MESSAGE_BYTES);
  reader.space().set(Uint8Array.of(1, 255, 255, 255, 0, 0, 0, 2)); // A message of 32 MiB begins.
  reader.filled(8);
  assert.equal(reader.next(), undefined);
  assert.equal(reader.space().length, 65_528);
});

Deno.test("MessageReader uses one buffer for long messages, and moves none of their bytes", () => {
  const reader = new MessageReader(MAX_MESSAGE_BYTES);
  const bytes = encodeMessage({ output: {} }, new Random(1).bytes(261_120));
  const buffers = new Set<ArrayBuffer>();
  const starts = new Set<number>();
  for (let round = 0; round < 5; round++) {
    for (let at = 0; at < bytes.length;) {
      const space = reader.space();
      const part = bytes.subarray(at, at + space.length);
      space.set(part);
      reader.filled(part.length);
      at += part.length;
    }
    const { data } = reader.next() ?? {};
    assert.deepEqual(data, bytes.subarray(-261_120));
    assert.equal(reader.next(), undefined);
    if (round > 0) buffers.add(data.buffer);
    if (round > 0) starts.add(data.byteOffset);
  }
  assert.deepEqual([buffers.size, starts.size], [1, 1]);
});

Deno.test("encodeMessage() refuses a message that the peer would refuse", () => {
  const longest = encodeMessage({}, new Uint8Array(MAX_MESSAGE_BYTES - 6));
  assert.equal(readAll(longest, new Random(1)).length, 1);
  assert.throws(() => encodeMessage({}, new Uint8Array(MAX_MESSAGE_BYTES - 5)), { code: "LIMIT_REACHED" });
});
