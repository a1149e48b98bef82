/**
 * Replaces the function of grpc-js 1.14 that puts messages together from the parts that HTTP/2 delivers.
 *
 * Reason: grpc-js keeps all parts of 16 KiB of a message and joins them at its end. So they wait for the collector of V8.
 * This function copies each part at once into the message, and frees it. Test:
 * `tests/rpc/compat/message_decoder_test.ts`, which fails when the fields have moved.
 *
 * Source: @grpc/grpc-js/build/src/stream-decoder.js
 */
import { StreamDecoder } from "@grpc/grpc-js/build/src/stream-decoder.js";
import { Buffer } from "node:buffer";
import { free } from "./received_memory.ts";

/** A flag for compression, and the length of the message in four bytes. Source: the protocol of gRPC over HTTP/2. */
const HEADER_BYTES = 5;

/** The unfinished message of a decoder. */
interface Unfinished {
  readonly header: Buffer;
  headerBytes: number;
  /** The message with its header. Absent until its length is known. */
  message: Buffer | undefined;
  messageBytes: number;
}

const unfinished = new WeakMap<object, Unfinished>();

/**
 * Adds a part of the messages of a stream, and frees its memory.
 *
 * @returns the messages that are complete now, each with its header
 * @throws {Error} when a message is longer than the decoder accepts
 */
function write(this: { readonly maxReadMessageLength: number }, part: Buffer): Buffer[] {
  let state = unfinished.get(this);
  if (state === undefined) {
    state = { header: Buffer.alloc(HEADER_BYTES), headerBytes: 0, message: undefined, messageBytes: 0 };
    unfinished.set(this, state);
  }
  const messages: Buffer[] = [];
  for (let at = 0; at < part.length;) {
    if (state.message === undefined) {
      const copied = part.copy(state.header, state.headerBytes, at, at + HEADER_BYTES - state.headerBytes);
      at += copied;
      state.headerBytes += copied;
      if (state.headerBytes < HEADER_BYTES) break;
      state.message = newMessage(state.header, this.maxReadMessageLength);
      state.messageBytes = HEADER_BYTES;
    }
    const copied = part.copy(state.message, state.messageBytes, at);
    at += copied;
    state.messageBytes += copied;
    if (state.messageBytes < state.message.length) break;
    messages.push(state.message);
    state.message = undefined;
    state.headerBytes = 0;
  }
  free(part);
  return messages;
}

/** Makes the memory of a message. */
function newMessage(header: Buffer, maxBytes: number): Buffer {
  const bytes = header.readUInt32BE(1);
  // -1 means without a limit.
  if (maxBytes !== -1 && bytes > maxBytes) {
    throw new Error(`Received message larger than max (${bytes} vs ${maxBytes})`);
  }
  const message = Buffer.allocUnsafeSlow(HEADER_BYTES + bytes);
  header.copy(message);
  return message;
}

/** Replaces the function for all calls of this process that are made later. */
export function decodeWithoutParts(): void {
  if (typeof StreamDecoder?.prototype?.write !== "function") return;
  StreamDecoder.prototype.write = write as unknown as StreamDecoder["write"];
}
