/** Handlers of calls with a stream of answers: makes a grpc-js handler of a function that returns an async iterable. */
import type { handleServerStreamingCall, ServerWritableStream } from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import type { CallContext } from "../../../proto/service.ts";
import { sendFrames } from "../../compat/grpc_call.ts";
import { type Method, sharedFrame } from "../../shared/definition.ts";
import type { ConnectionAccount } from "../limits/user_accounts.ts";
import { toServiceError } from "../status_error.ts";
import { contextOf, encode, type Message, type OpenCalls } from "./calls.ts";
import { requestReader } from "./read_request.ts";

type Handler = (request: Message, context: CallContext) => AsyncIterable<object>;

/** The parts that all calls of one method share. */
interface Parts {
  readonly method: Method;
  readonly handler: Handler;
  readonly calls: OpenCalls;
  readonly read: (bytes: Buffer) => object;
  readonly isLong: boolean;
}

/**
 * Makes a grpc-js handler of a function that returns an async iterable.
 *
 * The handler takes the next message only after the last one was sent. So a client that reads nothing costs one
 * message. When the call is over, the iterable's return() is called and its signal aborts.
 */
export function serverStreamingHandler(
  method: Method,
  handler: Handler,
  calls: OpenCalls,
): handleServerStreamingCall<Message, Message> {
  const parts = { method, handler, calls, read: requestReader(method), isLong: calls.limits.isLong(method) };
  return (call) => new AnswerStream(call, parts).start();
}

/**
 * The answers of one call.
 *
 * Its steps are callbacks, which are made once. A loop that awaits each step would make ten objects for each message, and
 * a line of output can wake a thousand watchers.
 */
class AnswerStream {
  readonly #call: ServerWritableStream<Message, Message>;
  readonly #parts: Parts;
  readonly #account: ConnectionAccount | undefined;
  readonly #context: CallContext;
  #iterator: AsyncIterator<object> | undefined;
  /** True once the last answer was taken, or the call is over. */
  #isDone = false;
  /** Why the server has ended the call. */
  #ended: Error | undefined;
  readonly #takeNext = () => this.#begin();
  readonly #taken = (step: IteratorResult<object>) => this.#answer(step);
  readonly #failed = (error: unknown) => this.#fail(error);

  constructor(call: ServerWritableStream<Message, Message>, parts: Parts) {
    const { calls, method } = parts;
    this.#call = call;
    this.#parts = parts;
    this.#account = calls.limits.accountOf(call);
    sendFrames(call, sharedFrame);
    this.#context = contextOf(call, method, calls, (reason) => this.#ended ??= reason, () => this.#close());
  }

  /** Begins the call in its turn. */
  start(): void {
    const turn = this.#parts.calls.limits.turn(this.#account);
    if (turn === undefined) this.#open();
    else void turn.then(() => this.#open());
  }

  #open(): void {
    if (this.#isDone) return;
    const { handler, read } = this.#parts;
    try {
      this.#iterator = handler(read(this.#call.request), this.#context)[Symbol.asyncIterator]();
    } catch (error) {
      return this.#fail(error);
    }
    this.#begin();
  }

  /** Begins the next answer, once earlier answers were sent and the event loop is free. Usually no wait is needed. */
  #begin(): void {
    if (this.#isDone) return;
    const { calls: { limits }, isLong } = this.#parts;
    const free = limits.room(this.#account, this.#context.signal) ?? (isLong ? limits.turn(this.#account) : undefined);
    if (free === undefined) this.#take();
    else free.then(() => this.#take(), this.#failed);
  }

  #take(): void {
    if (!this.#isDone) this.#iterator!.next().then(this.#taken, this.#failed);
  }

  #answer(step: IteratorResult<object>): void {
    if (this.#isDone) return;
    if (step.done) {
      this.#isDone = true;
      this.#call.end();
      return;
    }
    const room = this.#parts.calls.limits.room(this.#account, this.#context.signal);
    if (room === undefined) this.#send(step.value);
    else room.then(() => this.#send(step.value), this.#failed);
  }

  #send(message: object): void {
    if (this.#isDone) return;
    try {
      // Encoding and writing are one step: the next message of any stream may overwrite the bytes.
      this.#call.write(encode(this.#parts.method, message), this.#takeNext);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends the call with an error. */
  #fail(error: unknown): void {
    // An error of encode() leaves the iterator open. An error of the iterator has ended it; return() then does nothing.
    void this.#leave(() => this.#emit(error));
  }

  /** Ends a call that is over, whatever it waits for. A cancelled call never drains and never calls back. */
  #close(): void {
    void this.#leave(() => this.#ended === undefined ? void this.#call.end() : this.#emit(this.#ended));
  }

  /** Leaves the iterator, then ends the call. The client cannot get an error of return(), so it is reported. */
  async #leave(end: () => void): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    const { signal } = this.#context;
    try {
      await this.#iterator?.return?.();
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) this.#parts.calls.report(error, this.#parts.method.path);
    }
    end();
  }

  #emit(error: unknown): void {
    const { calls, method } = this.#parts;
    this.#call.emit("error", toServiceError(error, method.path, calls.report));
  }
}
