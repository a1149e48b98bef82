/** The messages of a client's stream, as an async iterable that reads no faster than its reader asks. */
import type { Buffer } from "node:buffer";
import type { Message } from "./calls.ts";

/** A flag and a length come before each message. Source: gRPC over HTTP2, Length-Prefixed-Message */
const FRAME_BYTES = 5;

/** Smaller messages share their memory with others, or are collected soon. */
const MIN_FREED_BYTES = 16_384;

/** Frees the memory of a message, which V8 would collect late. Without compression it has its memory alone. */
function freeMessage({ buffer, byteOffset, byteLength }: Buffer): void {
  const isAlone = byteOffset === FRAME_BYTES && FRAME_BYTES + byteLength === buffer.byteLength;
  if (isAlone && byteLength >= MIN_FREED_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The functions that messages are passed to. */
export interface RequestUse {
  /** @throws {TeleportError} when the message cannot be read */
  read(bytes: Buffer): Message;
  /** Receives the size of each message that was handled, in bytes. */
  release(bytes: number): void;
}

/**
 * The messages of a call. A large message is freed when its reader asks for the next one, so a reader that keeps it copies
 * it. This is not a generator, whose return() would wait for a message that may never come.
 */
export class RequestStream implements AsyncIterableIterator<Message> {
  readonly #messages: AsyncIterator<Message>;
  readonly #over: AbortSignal;
  readonly #use: RequestUse;
  /** The size of the current message with its frame. */
  #bytes = 0;
  /** The bytes of the current message. */
  #message: Buffer | undefined;
  #left = false;

  constructor(messages: AsyncIterator<Message>, over: AbortSignal, use: RequestUse) {
    this.#messages = messages;
    this.#over = over;
    this.#use = use;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws the reason of the signal once the call is over, because messages may be missing */
  async next(): Promise<IteratorResult<Message>> {
    if (this.#left) return { done: true, value: undefined };
    this.#over.throwIfAborted();
    this.#use.release(this.#bytes);
    this.#bytes = 0;
    if (this.#message !== undefined) freeMessage(this.#message);
    this.#message = undefined;
    let step: IteratorResult<Buffer>;
    try {
      // A call that is over destroys its stream, so this wait ends.
      step = await this.#messages.next();
    } catch (error) {
      if (!this.#over.aborted) throw error;
      throw this.#over.reason;
    }
    if (step.done) {
      this.#over.throwIfAborted();
      return step;
    }
    this.#bytes = step.value.length + FRAME_BYTES;
    this.#message = step.value;
    return { done: false, value: this.#use.read(step.value) };
  }

  /** Stops to read. Further messages wait in the HTTP/2 window until the call is answered. */
  return(): Promise<IteratorResult<Message>> {
    this.#left = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}
