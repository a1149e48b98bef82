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

/**
 * The memory that a message gets when only its length is known. A peer may announce bytes that it never sends. A message
 * of up to twice the last one gets all of its memory, because the peer sends such messages.
 */
const FIRST_BYTES = 65_536;

/** The unfinished message of a decoder. */
interface Unfinished {
  readonly header: Buffer;
  headerBytes: number;
  /** The start of the message with its header. Absent until its length is known. */
  message: Buffer | undefined;
  /** The bytes that have arrived, and those of the whole message, both with the header. */
  messageBytes: number;
  totalBytes: number;
  /** The bytes of the last complete message. */
  lastBytes: number;
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
    const header = Buffer.alloc(HEADER_BYTES);
    state = { header, headerBytes: 0, message: undefined, messageBytes: 0, totalBytes: 0, lastBytes: 0 };
    unfinished.set(this, state);
  }
  const messages: Buffer[] = [];
  for (let at = 0; at < part.length;) {
    if (state.message === undefined) {
      const copied = part.copy(state.header, state.headerBytes, at, at + HEADER_BYTES - state.headerBytes);
      at += copied;
      state.headerBytes += copied;
      if (state.headerBytes < HEADER_BYTES) break;
      state.totalBytes = totalBytes(state.header, this.maxReadMessageLength);
      state.message = Buffer.allocUnsafeSlow(Math.min(state.totalBytes, Math.max(FIRST_BYTES, 2 * state.lastBytes)));
      state.messageBytes = state.header.copy(state.message);
    }
    if (state.messageBytes === state.message.length) state.message = grown(state.message, state.totalBytes);
    const copied = part.copy(state.message, state.messageBytes, at);
    at += copied;
    state.messageBytes += copied;
    if (state.messageBytes < state.totalBytes) continue;
    messages.push(state.message);
    state.lastBytes = state.totalBytes;
    state.message = undefined;
    state.headerBytes = 0;
  }
  free(part);
  return messages;
}

/** Returns the length of a message with its header. */
function totalBytes(header: Buffer, maxBytes: number): number {
  const bytes = header.readUInt32BE(1);
  // -1 means without a limit.
  if (maxBytes !== -1 && bytes > maxBytes) {
    throw new Error(`Received message larger than max (${bytes} vs ${maxBytes})`);
  }
  return HEADER_BYTES + bytes;
}

/** Moves the start of a message into twice the memory, or into that of the whole message. */
function grown(start: Buffer, totalBytes: number): Buffer {
  const message = Buffer.allocUnsafeSlow(Math.min(totalBytes, 2 * start.length));
  start.copy(message);
  free(start);
  return message;
}

/** Replaces the function for all calls of this process that are made later. */
export function decodeWithoutParts(): void {
  if (typeof StreamDecoder?.prototype?.write !== "function") return;
  StreamDecoder.prototype.write = write as unknown as StreamDecoder["write"];
}
