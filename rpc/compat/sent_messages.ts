/**
 * Sends the messages of a client's stream from memory that is used again, without the copy that grpc-js makes of each.
 *
 * Reason: grpc-js copies each message into a frame in new memory. V8 collects that memory late, and new memory is slow at
 * its first use. Without the function of grpc-js that is replaced here, it makes its copies. Test:
 * `tests/rpc/compat/sent_messages_test.ts`, which fails when that function has moved.
 *
 * Source: @grpc/grpc-js/build/src/compression-filter.js
 */
import { CompressionFilter } from "@grpc/grpc-js/build/src/compression-filter.js";
import { Buffer } from "node:buffer";

/** A flag and a length come before each message. Source: gRPC over HTTP2, Length-Prefixed-Message */
const HEAD_BYTES = 5;

/**
 * The most bytes of one call that grpc-js keeps. It sends them again when a server has refused the call unread. For a
 * message that it keeps, it calls back at once. For a longer one it calls back when HTTP/2 has copied the message, and it
 * never sends the call again. So only a longer message may leave its memory to the next one.
 *
 * Source: @grpc/grpc-js/build/src/retrying-call.js
 */
export const MAX_KEPT_BYTES = 65_536;

/** All memory that has room for the head of a frame before its message. */
const memories = new WeakSet<ArrayBufferLike>();

/** The memory of the messages of one call, which are sent one after another. */
export class MessageMemory {
  #memory = new Uint8Array();

  /** Returns the memory of the next message. It overwrites the last long one. */
  take(bytes: number): Uint8Array {
    if (bytes <= MAX_KEPT_BYTES) return new Uint8Array(bytes);
    if (HEAD_BYTES + bytes > this.#memory.length) {
      this.#memory = new Uint8Array(HEAD_BYTES + bytes);
      memories.add(this.#memory.buffer);
    }
    return this.#memory.subarray(HEAD_BYTES, HEAD_BYTES + bytes);
  }
}

/** Returns the frame of a message, without a copy. Undefined for a message with other memory. */
function frameOf(message: Buffer): Buffer | undefined {
  if (message.byteOffset !== HEAD_BYTES || !memories.has(message.buffer)) return undefined;
  const frame = Buffer.from(message.buffer, 0, HEAD_BYTES + message.length);
  frame.writeUInt8(0, 0);
  frame.writeUInt32BE(message.length, 1);
  return frame;
}

/** The part of grpc-js that makes the frames. */
interface Framing {
  readonly currentCompressionAlgorithm: string;
  sendMessage(message: Promise<Sent>): Promise<Sent>;
}

interface Sent {
  readonly message: Buffer;
  readonly flags?: number;
}

/** Replaces the function for all calls of this process that are made later. */
export function sendWithoutCopies(): void {
  const prototype = CompressionFilter?.prototype as unknown as Framing | undefined;
  if (typeof prototype?.sendMessage !== "function") return;
  const { sendMessage } = prototype;
  prototype.sendMessage = async function (this: Framing, message) {
    const sent = await message;
    const frame = this.currentCompressionAlgorithm === "identity" ? frameOf(sent.message) : undefined;
    return frame === undefined ? await sendMessage.call(this, message) : { ...sent, message: frame };
  };
}
