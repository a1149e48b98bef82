/** The standard input of one process: one writer at a time, every byte counted, so that a cut writer goes on exactly. */
import { InvalidArgumentError } from "../errors.ts";
import { InputBusyError, InputClosedError, InputOffsetError, InputTakenOverError } from "../input_errors.ts";

/** A piece is held in memory while the process does not read: large enough to be fast, small enough for many writers. */
export const MAX_INPUT_PIECE_BYTES = 262_144;

/** A UUID, or a name and a number. */
const MAX_WRITER_CHARS = 128;

/** What a writer sends. */
export interface InputPiece {
  /** At most 262,144 bytes; may be empty or absent. */
  readonly data?: Uint8Array;
  /** True: behind the data the input ends, as a file does. */
  readonly end?: boolean;
}

/** Who writes, and where. */
export interface InputOptions {
  /**
   * Names the writer, in at most 128 characters: the same one takes the place of its own call before, which may not be
   * known to be cut yet, and may send again what it cannot know to have arrived.
   */
  readonly writer?: string;
  /**
   * How many bytes of the input come before the first piece; what was taken already is passed over. Absent: the first
   * piece goes behind all that was taken.
   */
  readonly offset?: number;
  /** Ends the writing; the input stays as it is. */
  readonly signal?: AbortSignal;
}

/** What is known of an input. */
export interface InputState {
  /** Taken in all: written to the process's pipe, or about to be. */
  readonly bytes: number;
  /** True once nothing more is taken: its end was asked for, or the process has closed it or ended. */
  readonly closed: boolean;
}

/** What became of what a writer sent. */
export interface InputTaken extends InputState {
  /** Bytes taken from this writer's call. */
  readonly taken: number;
}

/** One writer's turn; aborts when it has to go. */
type WriterLease = AbortController;

/**
 * The standard input of one process.
 *
 * - One writer at a time; another is refused, but the same one may take its own place.
 * - The next piece is asked for when the one before is in the pipe: a process that does not read holds up the writer.
 * - A writer that leaves closes nothing; the next goes on where it was.
 * - Whole pieces are taken. A piece that the end of the process cuts off does not count.
 */
export class ProcessInput {
  readonly #opened = Promise.withResolvers<WritableStreamDefaultWriter<Uint8Array>>();
  readonly #closed = new AbortController();
  /** In the pipe. */
  #written = 0;
  /** Of the piece that is being written. */
  #pending = 0;
  #writing: Promise<void> = Promise.resolve();
  #turn: WriterLease | undefined;
  /** Who wrote last: only that one may send again what was taken. */
  #last: string | undefined;

  /** What is known of it now. */
  get state(): InputState {
    return { bytes: this.#written + this.#pending, closed: this.#closed.signal.aborted };
  }

  /** For the process: it runs and this is its pipe. */
  open(pipe: WritableStream<Uint8Array>): void {
    const writer = pipe.getWriter();
    // A failed write says the same.
    writer.closed.catch(() => {});
    this.#opened.resolve(writer);
  }

  /** For the process: it has ended, closed its input, or was never there. Nothing more is taken. */
  end(): void {
    if (this.#closed.signal.aborted) return;
    this.#pending = 0;
    this.#closed.abort();
    // A write under way cannot be called off: it ends with the last process that holds the pipe, and that is then closed.
    void this.#opened.promise.then((writer) => writer.abort()).catch(() => {});
  }

  /**
   * Takes pieces until they end, the input is closed, or nothing more can be taken. Without an `end` the input stays
   * open.
   *
   * @returns what was taken; also when the process ended or closed its input before all was
   * @throws {InputBusyError} when another writer has it
   * @throws {InputClosedError} when it was closed before the call
   * @throws {InputOffsetError} when the offset is not where this writer can go on
   * @throws {InputTakenOverError} when the same writer called again
   * @throws {InvalidArgumentError} for a piece that is too large, or a writer's name that cannot be
   * @throws the signal's reason once it aborts
   */
  async take(pieces: AsyncIterable<InputPiece>, options: InputOptions = {}): Promise<InputTaken> {
    options.signal?.throwIfAborted();
    const turn = this.#begin(options);
    const abort = () => turn.abort(options.signal?.reason);
    options.signal?.addEventListener("abort", abort, { once: true });
    const iterator = pieces[Symbol.asyncIterator]();
    try {
      return await this.#takeAll(iterator, turn, options.offset ?? this.state.bytes);
    } finally {
      options.signal?.removeEventListener("abort", abort);
      if (this.#turn === turn) this.#turn = undefined;
      // Not waited for: it may be waiting itself, for a piece that never comes.
      Promise.resolve(iterator.return?.()).catch(() => {});
    }
  }

  #begin({ writer, offset }: InputOptions): WriterLease {
    if (writer !== undefined && (writer === "" || writer.length > MAX_WRITER_CHARS)) {
      throw new InvalidArgumentError(
        `Invalid writer ${JSON.stringify(writer.slice(0, 100))}: give 1 to ${MAX_WRITER_CHARS} characters`,
      );
    }
    const { bytes, closed } = this.state;
    if (closed) throw new InputClosedError(bytes);
    const isSame = writer !== undefined && writer === this.#last;
    if (this.#turn !== undefined && !isSame) throw new InputBusyError();
    if (offset !== undefined && (offset > bytes || (offset < bytes && !isSame))) {
      throw new InputOffsetError(offset, bytes);
    }
    this.#turn?.abort(new InputTakenOverError());
    this.#last = writer;
    return this.#turn = new AbortController();
  }

  /** @param at the place of the next byte in the input */
  async #takeAll(iterator: AsyncIterator<InputPiece>, turn: WriterLease, at: number): Promise<InputTaken> {
    let taken = 0;
    const pipe = await this.#unlessOver(this.#opened.promise, turn);
    while (pipe !== undefined) {
      const step = await this.#unlessOver(iterator.next(), turn);
      if (step === undefined || step.done) break;
      const { data = new Uint8Array(), end = false } = step.value;
      if (data.length > MAX_INPUT_PIECE_BYTES) {
        throw new InvalidArgumentError(
          `Input of "${data.length}" bytes in one piece: give at most ${MAX_INPUT_PIECE_BYTES} at a time`,
        );
      }
      // What was being written when this writer was cut off is taken, and goes first.
      if (await this.#unlessOver(this.#writing.then(() => true), turn) === undefined) break;
      // A promise that was settled when the turn was taken over wins the race.
      turn.signal.throwIfAborted();
      const fresh = data.subarray(Math.min(Math.max(0, this.#written - at), data.length));
      at += data.length;
      if (fresh.length > 0) {
        this.#write(pipe, fresh);
        if (await this.#unlessOver(this.#writing.then(() => true), turn) === undefined) break;
        taken += fresh.length;
      }
      if (end) {
        turn.signal.throwIfAborted();
        this.#closed.abort();
        await pipe.close().catch(() => {}); // The process closed it first.
        break;
      }
    }
    return { ...this.state, taken };
  }

  #write(pipe: WritableStreamDefaultWriter<Uint8Array>, data: Uint8Array): void {
    this.#pending = data.length;
    this.#writing = pipe.write(data).then(
      () => {
        if (this.#pending > 0) this.#written += data.length;
        this.#pending = 0;
      },
      () => this.end(), // EPIPE: nobody reads any more.
    );
  }

  /** Settles as the promise does, or with undefined when nothing more is taken. */
  async #unlessOver<T>(promise: Promise<T>, turn: WriterLease): Promise<T | undefined> {
    const closed = this.#closed.signal;
    const { promise: over, resolve, reject } = Promise.withResolvers<undefined>();
    const wake = () => turn.signal.aborted ? reject(turn.signal.reason) : resolve(undefined);
    if (turn.signal.aborted || closed.aborted) wake();
    for (const signal of [turn.signal, closed]) signal.addEventListener("abort", wake, { once: true });
    try {
      return await Promise.race([promise, over]);
    } finally {
      promise.catch(() => {}); // Nobody waits for it any more, where it lost.
      for (const signal of [turn.signal, closed]) signal.removeEventListener("abort", wake);
    }
  }
}
