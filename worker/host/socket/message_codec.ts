/**
 * The form of a message: its length without these four bytes, the length of its JSON, the JSON, and bytes without a form.
 * Both lengths are unsigned numbers of 32 bits, the highest byte first.
 */
import { fromMarkedJson, toMarkedJson } from "../../../base/marked_json.ts";
import { LimitReachedError } from "../../errors.ts";
import { takeMessageMemory } from "./message_memory.ts";

/** One message. */
export interface Message {
  readonly body: Readonly<Record<string, unknown>>;
  /** The bytes after the JSON. The next read of the connection overwrites them, so who keeps them copies them. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * The most bytes of a message after the handshake. A request of a client has at most 4 MiB. Control characters take six
 * times their size in JSON.
 */
export const MAX_MESSAGE_BYTES = 33_554_432;
/** The most bytes of a message before the peer has proved the key. A hello has about 150. */
export const MAX_HELLO_BYTES = 4_096;

const LENGTH_BYTES = 4;
/** `{}` */
const MIN_JSON_BYTES = 2;
/** Enough for most messages. It grows when a longer one arrives. */
const BUFFER_BYTES = 65_536;
/** A larger buffer does not stay. This one has room for two chunks of input, which come one after another. */
const MAX_KEPT_BYTES = 524_288;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const NO_DATA = new Uint8Array();

/** The peer does not keep to the protocol. The connection ends. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

/**
 * Encodes a message. The caller gives its memory back after the write.
 *
 * @throws {LimitReachedError} when it is too long for the peer
 */
export function encodeMessage(body: object, data: Uint8Array = NO_DATA): Uint8Array<ArrayBuffer> {
  const json = encoder.encode(toMarkedJson(body));
  const bytes = LENGTH_BYTES + json.length + data.length;
  if (bytes > MAX_MESSAGE_BYTES) {
    throw new LimitReachedError(
      `A message to or from a job host must have at most ${MAX_MESSAGE_BYTES} bytes, got ${bytes}`,
    );
  }
  const message = takeMessageMemory(LENGTH_BYTES + bytes);
  const view = new DataView(message.buffer);
  view.setUint32(0, bytes);
  view.setUint32(LENGTH_BYTES, json.length);
  message.set(json, 2 * LENGTH_BYTES);
  message.set(data, 2 * LENGTH_BYTES + json.length);
  return message;
}

/**
 * Finds the messages in a stream of bytes. The caller reads into `space()`, calls `filled()`, and calls `next()` until it
 * returns undefined.
 */
export class MessageReader {
  #buffer = new Uint8Array(BUFFER_BYTES);
  /** The bytes from `#start` to `#end` are read and not returned. */
  #start = 0;
  #end = 0;
  #maxBytes: number;

  /** @param maxBytes the most bytes of a message */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Sets the most bytes of later messages. */
  setMaxBytes(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  /**
   * Returns the place for the next bytes. It is never empty. A long message ends it, so that no part of the next one has to
   * be moved. The memory of earlier messages may be used again.
   */
  space(): Uint8Array<ArrayBuffer> {
    const held = this.#end - this.#start;
    if (held === 0) {
      if (this.#buffer.length > MAX_KEPT_BYTES) this.#buffer = new Uint8Array(BUFFER_BYTES);
      this.#start = this.#end = 0;
    }
    const needed = this.#neededBytes(held);
    if (this.#start + needed > this.#buffer.length) this.#makeRoom(held);
    return this.#buffer.subarray(this.#end, Math.max(this.#start + needed, BUFFER_BYTES));
  }

  /** Returns the bytes of the message that has begun, with its length. */
  #neededBytes(held: number): number {
    if (held < LENGTH_BYTES) return LENGTH_BYTES;
    return LENGTH_BYTES + new DataView(this.#buffer.buffer, this.#start).getUint32(0);
  }

  #makeRoom(held: number): void {
    // The memory grows with the bytes that have arrived, not with the length that the peer announces.
    const isFull = held === this.#buffer.length;
    if (!isFull && this.#start === 0) return;
    const buffer = isFull ? new Uint8Array(2 * this.#buffer.length) : this.#buffer;
    buffer.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = buffer;
    this.#start = 0;
    this.#end = held;
  }

  /** Adds the bytes that the caller has read into `space()`. */
  filled(bytes: number): void {
    this.#end += bytes;
  }

  /**
   * Returns the next complete message.
   *
   * @throws {ProtocolError} when the bytes are not a message
   */
  next(): Message | undefined {
    const held = this.#end - this.#start;
    if (held < LENGTH_BYTES) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#start, held);
    const bytes = view.getUint32(0);
    if (bytes < LENGTH_BYTES + MIN_JSON_BYTES || bytes > this.#maxBytes) {
      throw new ProtocolError(`Invalid length of a message: ${bytes}`);
    }
    if (held >= 2 * LENGTH_BYTES) this.#checkJsonBytes(view.getUint32(LENGTH_BYTES), bytes);
    if (held < LENGTH_BYTES + bytes) return undefined;
    const start = this.#start + 2 * LENGTH_BYTES;
    const data = start + view.getUint32(LENGTH_BYTES);
    this.#start += LENGTH_BYTES + bytes;
    return { body: decodeBody(this.#buffer.subarray(start, data)), data: this.#buffer.subarray(data, this.#start) };
  }

  #checkJsonBytes(jsonBytes: number, bytes: number): void {
    if (jsonBytes < MIN_JSON_BYTES || jsonBytes > bytes - LENGTH_BYTES) {
      throw new ProtocolError(`Invalid length of the JSON in a message of ${bytes} bytes: ${jsonBytes}`);
    }
  }
}

function decodeBody(json: Uint8Array): Record<string, unknown> {
  let body: unknown;
  try {
    body = fromMarkedJson(decoder.decode(json));
  } catch (cause) {
    throw new ProtocolError("A message is not valid JSON", { cause });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ProtocolError("A message is not a JSON object");
  }
  return body as Record<string, unknown>;
}
