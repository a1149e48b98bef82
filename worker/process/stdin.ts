/** The standard input of one process. It counts every byte, so a writer can continue exactly where it was cut off. */
import { quote } from "../../base/quote.ts";
import { InvalidArgumentError } from "../errors.ts";
import { InputBusyError, InputClosedError, InputOffsetError, InputTakenOverError } from "../input_errors.ts";

/** The longest chunk. It stays in memory while the process does not read: large enough for speed, small for many writers. */
export const MAX_INPUT_CHUNK_BYTES = 262_144;

/** The longest name of a writer: enough for a UUID, or a name and a number. */
const MAX_WRITER_CHARS = 128;

/** One chunk of what a writer sends. */
export interface InputChunk {
  /** At most 262,144 bytes; may be empty or absent. */
  readonly data?: Uint8Array;
  /** True if the input ends after the data, as a file does. */
  readonly end?: boolean;
}

/** The writer, and the offset at which it writes. */
export interface InputOptions {
  /**
   * The name of the writer, at most 128 characters. A writer that calls again replaces its own earlier call, which the
   * server may not know to be cut off yet. It may repeat bytes whose arrival it does not know.
   */
  readonly writer?: string;
  /**
   * The offset of the first chunk in the input, in bytes. Bytes that were accepted before are skipped. Absent: the first
   * chunk follows all accepted bytes.
   */
  readonly offset?: number;
  /** Ends the call. The input stays open. */
  readonly signal?: AbortSignal;
}

/** The state of an input. */
export interface InputState {
  /** The number of accepted bytes: written to the process's pipe, or being written. */
  readonly bytes: number;
  /** True once the input accepts no more: a writer ended it, the process closed it, or the process ended. */
  readonly closed: boolean;
}

/** The result of a writer's call. */
export interface InputResult extends InputState {
  /** The number of bytes accepted from this call. */
  readonly accepted: number;
}

/**
 * Checks the size of a chunk.
 *
 * @throws {InvalidArgumentError} when it is too large
 */
export function checkInputChunk(data: Uint8Array): void {
  if (data.length > MAX_INPUT_CHUNK_BYTES) {
    throw new InvalidArgumentError(
      `A chunk of input must have at most ${MAX_INPUT_CHUNK_BYTES} bytes, got ${data.length}: send smaller chunks`,
    );
  }
}

/** The right of one writer to write. It aborts when the writer loses it. */
type WriterLease = AbortController;

/**
 * The standard input of one process.
 *
 * - It has one writer at a time. Another writer is refused, but the same writer may replace its own call.
 * - It requests a chunk when the previous one is in the pipe. A process that does not read slows the writer down.
 * - A writer that leaves does not close the input. The next writer continues where it was.
 * - It accepts whole chunks. A chunk that the end of the process cuts off does not count.
 */
export class ProcessInput {
  readonly #opened = Promise.withResolvers<WritableStreamDefaultWriter<Uint8Array>>();
  readonly #closed = new AbortController();
  /** The bytes in the pipe. */
  #written = 0;
  /** The bytes of the chunk that is being written. */
  #pending = 0;
  #writing: Promise<void> = Promise.resolve();
  #lease: WriterLease | undefined;
  /** The name of the last writer, which alone may repeat bytes. */
  #lastWriter: string | undefined;

  /** The state now. */
  get state(): InputState {
    return { bytes: this.#written + this.#pending, closed: this.#closed.signal.aborted };
  }

  /** Opens the input. The process calls this with its pipe when it runs. */
  open(pipe: WritableStream<Uint8Array>): void {
    const writer = pipe.getWriter();
    // A failed write reports the same error.
    writer.closed.catch(() => {});
    this.#opened.resolve(writer);
  }

  /** Closes the input. The process calls this when it has ended or was not started. */
  end(): void {
    if (this.#closed.signal.aborted) return;
    this.#pending = 0;
    this.#closed.abort();
    // A write in progress cannot be cancelled. It ends with the last process that holds the pipe; then the pipe closes.
    void this.#opened.promise.then((writer) => writer.abort()).catch(() => {});
  }

  /**
   * Accepts chunks until they end, one of them ends the input, or the input accepts no more. Without an `end` the input
   * stays open.
   *
   * @returns the result, also if the process ended or closed its input before it got all chunks
   * @throws {InputBusyError} when another writer has the input
   * @throws {InputClosedError} when the input was closed before the call
   * @throws {InputOffsetError} when this writer cannot continue at the offset
   * @throws {InputTakenOverError} when the same writer called again
   * @throws {InvalidArgumentError} when a chunk is too large or the writer's name is invalid
   * @throws the signal's reason when it aborts
   */
  async accept(chunks: AsyncIterable<InputChunk>, options: InputOptions = {}): Promise<InputResult> {
    options.signal?.throwIfAborted();
    const lease = this.#begin(options);
    const abort = () => lease.abort(options.signal?.reason);
    options.signal?.addEventListener("abort", abort, { once: true });
    const iterator = chunks[Symbol.asyncIterator]();
    try {
      return await this.#acceptAll(iterator, lease, options.offset ?? this.state.bytes);
    } finally {
      options.signal?.removeEventListener("abort", abort);
      if (this.#lease === lease) this.#lease = undefined;
      // This does not wait for the iterator, which may itself wait for a chunk that never comes.
      Promise.resolve(iterator.return?.()).catch(() => {});
    }
  }

  #begin({ writer, offset }: InputOptions): WriterLease {
    if (writer !== undefined && (writer === "" || writer.length > MAX_WRITER_CHARS)) {
      throw new InvalidArgumentError(
        `'writer' must have 1 to ${MAX_WRITER_CHARS} characters, got ${quote(writer)}`,
      );
    }
    const { bytes, closed } = this.state;
    if (closed) throw new InputClosedError(bytes);
    const isSame = writer !== undefined && writer === this.#lastWriter;
    if (this.#lease !== undefined && !isSame) throw new InputBusyError();
    if (offset !== undefined && (offset > bytes || (offset < bytes && !isSame))) {
      throw new InputOffsetError(offset, bytes);
    }
    this.#lease?.abort(new InputTakenOverError());
    this.#lastWriter = writer;
    return this.#lease = new AbortController();
  }

  /** @param at the offset of the next byte in the input */
  async #acceptAll(iterator: AsyncIterator<InputChunk>, lease: WriterLease, at: number): Promise<InputResult> {
    let accepted = 0;
    const pipe = await this.#unlessClosed(this.#opened.promise, lease);
    while (pipe !== undefined) {
      const step = await this.#unlessClosed(iterator.next(), lease);
      if (step === undefined || step.done) break;
      const { data = new Uint8Array(), end = false } = step.value;
      checkInputChunk(data);
      // The chunk of an earlier call that is still being written goes first.
      if (await this.#unlessClosed(this.#writing.then(() => true), lease) === undefined) break;
      // A promise that is already settled wins the race against the loss of the lease.
      lease.signal.throwIfAborted();
      const fresh = data.subarray(Math.min(Math.max(0, this.#written - at), data.length));
      at += data.length;
      if (fresh.length > 0) {
        this.#write(pipe, fresh);
        if (await this.#unlessClosed(this.#writing.then(() => true), lease) === undefined) break;
        accepted += fresh.length;
      }
      if (end) {
        lease.signal.throwIfAborted();
        this.#closed.abort();
        await pipe.close().catch(() => {}); // The process closed it first.
        break;
      }
    }
    return { ...this.state, accepted };
  }

  #write(pipe: WritableStreamDefaultWriter<Uint8Array>, data: Uint8Array): void {
    this.#pending = data.length;
    this.#writing = pipe.write(data).then(
      () => {
        if (this.#pending > 0) this.#written += data.length;
        this.#pending = 0;
      },
      () => this.end(), // EPIPE: no process reads the pipe any more.
    );
  }

  /** Settles as the promise does, or with undefined once the input accepts no more. */
  async #unlessClosed<T>(promise: Promise<T>, lease: WriterLease): Promise<T | undefined> {
    const closed = this.#closed.signal;
    const { promise: over, resolve, reject } = Promise.withResolvers<undefined>();
    const wake = () => lease.signal.aborted ? reject(lease.signal.reason) : resolve(undefined);
    if (lease.signal.aborted || closed.aborted) wake();
    for (const signal of [lease.signal, closed]) signal.addEventListener("abort", wake, { once: true });
    try {
      return await Promise.race([promise, over]);
    } finally {
      promise.catch(() => {}); // If it lost the race, nothing else handles its error.
      for (const signal of [lease.signal, closed]) signal.removeEventListener("abort", wake);
    }
  }
}
