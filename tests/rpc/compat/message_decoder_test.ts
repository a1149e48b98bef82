/** Tests of rpc/compat/message_decoder.ts: messages in parts of every size are put together unchanged. */
import { StreamDecoder } from "@grpc/grpc-js/build/src/stream-decoder.js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { decodeWithoutParts } from "../../../rpc/compat/message_decoder.ts";
import { Random, seedFor } from "../../support/random.ts";

const { write } = StreamDecoder.prototype;
decodeWithoutParts();

/** Returns a message with its header. */
function framed(data: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(data.length, 1);
  return Buffer.concat([header, data]);
}

/** Decodes bytes in parts of the given size. */
function decode(bytes: Buffer, partBytes: number): Buffer[] {
  const decoder = new StreamDecoder(-1);
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) {
    messages.push(...decoder.write(Buffer.from(bytes.subarray(at, at + partBytes))));
  }
  return messages;
}

Deno.test("decodeWithoutParts() replaces the function of grpc-js, and the result is the same", () => {
  assert.notEqual(StreamDecoder.prototype.write, write);
  const random = new Random(seedFor("message_decoder"));
  const messages = Array.from({ length: 60 }, (_, n) => framed(Buffer.alloc(random.below(n % 3 === 0 ? 5 : 9_000), n)));
  messages.push(framed(Buffer.alloc(300_000, 7)), framed(Buffer.alloc(65_531, 8)), framed(Buffer.alloc(0)));
  const bytes = Buffer.concat(messages);
  for (const partBytes of [1, 2, 4, 5, 6, 100, 4_096, 16_384, bytes.length]) {
    assert.deepEqual(decode(bytes, partBytes), messages, `Parts of ${partBytes} bytes`);
  }
});

Deno.test("A decoder frees a large part, and its messages have memory of their own", () => {
  const message = framed(Buffer.alloc(20_000, 1));
  const part = Buffer.from(new Uint8Array([...message, ...message]).buffer);
  const messages = new StreamDecoder(-1).write(part);
  assert.deepEqual(messages, [message, message]);
  assert.equal(part.length, 0);
});

/** Records the memory that decoders reserve, until it is disposed of. */
function recordReserved(): { readonly reserved: number[] } & Disposable {
  const { allocUnsafeSlow } = Buffer;
  const reserved: number[] = [];
  Buffer.allocUnsafeSlow = (bytes) => allocUnsafeSlow(reserved[reserved.push(bytes) - 1]!);
  return { reserved, [Symbol.dispose]: () => void (Buffer.allocUnsafeSlow = allocUnsafeSlow) };
}

Deno.test("A decoder reserves little memory for a message that is only announced", () => {
  using record = recordReserved();
  const decoder = new StreamDecoder(-1);
  decoder.write(framed(Buffer.alloc(4_000_000)).subarray(0, 6));
  assert.deepEqual(record.reserved, [65_536]);
  assert.deepEqual(decoder.write(Buffer.alloc(65_536)), []);
  assert.deepEqual(record.reserved, [65_536, 131_072]);
});

Deno.test("A decoder reserves all memory of a message at once after one of its size", () => {
  using record = recordReserved();
  const decoder = new StreamDecoder(-1);
  decoder.write(framed(Buffer.alloc(131_072)));
  record.reserved.length = 0;
  decoder.write(framed(Buffer.alloc(131_100)));
  assert.deepEqual(record.reserved, [131_105]);
  record.reserved.length = 0;
  decoder.write(framed(Buffer.alloc(4_000_000)).subarray(0, 6));
  assert.deepEqual(record.reserved, [2 * 131_105]);
});

Deno.test("A decoder refuses a message above its limit with the error of grpc-js", () => {
  const part = () => framed(Buffer.alloc(11));
  const wanted = /^Error: Received message larger than max \(11 vs 10\)$/;
  assert.throws(() => write.call(new StreamDecoder(10), part()), wanted);
  assert.throws(() => new StreamDecoder(10).write(part()), wanted);
  assert.deepEqual(new StreamDecoder(11).write(part()), [part()]);
});

Deno.test("decodeWithoutParts() is still needed because grpc-js keeps the parts of a message", () => {
  const decoder = new StreamDecoder(-1);
  assert.deepEqual(write.call(decoder, framed(Buffer.alloc(20_000)).subarray(0, 16_384)), []);
  // deno-lint-ignore no-explicit-any -- the field is private, and this test reports when it moves
  assert.equal((decoder as any).readPartialMessage.length, 1);
});
