/** Lets handlers take a client's stream as an async iterable, and read it no faster than they ask. */
import type { handleClientStreamingCall } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import type { CallContext } from "../../../proto/service.ts";
import { contextOf, encode, type OpenCalls } from "./calls.ts";
import type { Method } from "../../shared/definition.ts";
import { toServiceError } from "../status_error.ts";
import { requestReader } from "./read_request.ts";

// deno-lint-ignore no-explicit-any -- grpc-js knows the messages of a call by its method's name alone
type Message = any;

/**
 * Makes a grpc-js handler of an async function that takes a stream.
 *
 * The next message is read when the handler asks for it, so a handler that asks for none costs a few messages and the
 * window of HTTP/2. The handler may answer at any time; what the client sends after that is thrown away.
 */
export function clientStreamingHandler(
  method: Method,
  handler: (requests: AsyncIterable<Message>, context: CallContext) => Promise<object>,
  calls: OpenCalls,
): handleClientStreamingCall<Message, Message> {
  const { limits } = calls;
  const read = requestReader(method);
  return (call, respond) => {
    holdOneMessage(call);
    // The first answer counts: grpc-js sends no second.
    const refuse = (error: unknown) => respond(toServiceError(error, method.path, calls.report));
    const context = contextOf(call, method, calls, refuse);
    const requests = new Requests(call[Symbol.asyncIterator](), context.signal, {
      read,
      release: (bytes) => limits.release(call, bytes),
    });
    answer().then((bytes) => respond(null, bytes), (error) => {
      // The client has left: there is nobody to answer, and nothing has failed.
      if (!context.signal.aborted || error !== context.signal.reason) refuse(error);
    });

    async function answer() {
      return encode(method, await handler(requests, context));
    }
  };
}

/** A flag and a length before each message. Source: gRPC over HTTP2, Length-Prefixed-Message */
const FRAME_BYTES = 5;

/** What becomes of the messages of a call. */
interface RequestUse {
  /** @throws {TeleportError} When the message cannot be read */
  read(bytes: Buffer): Message;
  /** Told when a message was worked off. */
  release(bytes: number): void;
}

/** The messages of a call. Not a generator, whose return() would wait for a message that may never come. */
export class Requests implements AsyncIterableIterator<Message> {
  readonly #messages: AsyncIterator<Message>;
  readonly #over: AbortSignal;
  readonly #use: RequestUse;
  /** Of the message that was given last, with its frame. */
  #bytes = 0;
  #left = false;

  constructor(messages: AsyncIterator<Message>, over: AbortSignal, use: RequestUse) {
    this.#messages = messages;
    this.#over = over;
    this.#use = use;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws the signal's reason once the call is over: what came is not all that was to come */
  async next(): Promise<IteratorResult<Message>> {
    if (this.#left) return { done: true, value: undefined };
    this.#over.throwIfAborted();
    this.#use.release(this.#bytes);
    this.#bytes = 0;
    let step: IteratorResult<Buffer>;
    try {
      // A call that is over destroys its stream, so this does not wait for ever.
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
    return { done: false, value: this.#use.read(step.value) };
  }

  /** What else the client sends waits in its window until the call is answered. */
  return(): Promise<IteratorResult<Message>> {
    this.#left = true;
    return Promise.resolve({ done: true, value: undefined });
  }
}

/**
 * By itself a stream of grpc-js reads 16 messages ahead, which may be of megabytes. The number is in a field that Node's
 * streams keep to themselves; where it is not found, that much more memory is used.
 */
export function holdOneMessage(stream: object): void {
  const { _readableState: state } = stream as { _readableState?: { highWaterMark?: number } };
  if (state !== undefined) state.highWaterMark = 1;
}
