/** Searches a job's output: of its chunks it passes on the lines that match, each with its position. */
import type { OutputChunk, OutputEnd } from "../../mod.ts";
import type { LinePattern } from "./line_pattern.ts";
import { LineScanner, type Match } from "./line_scanner.ts";
import { formatSearchCursor, type SearchPlace } from "./search_cursor.ts";
import { searchTurn } from "./search_turns.ts";

type StreamName = OutputChunk["stream"];

/** The search in one stream. */
interface StreamSearch {
  readonly scanner: LineScanner;
  /** The position before which everything was searched. */
  readonly from: number;
  /** The position at which the search would continue: the start of the first line that was not passed on. */
  next: number;
  /** The chunk in which the line at that position begins. Undefined: in a later one. */
  began: { readonly chunk: OutputChunk; readonly index: number; readonly cursor: string | undefined } | undefined;
}

/** The time in milliseconds after which a search lets other work run. */
const STEP_MS = 3;

/** Options of {@linkcode OutputSearch}. */
export interface SearchOptions {
  readonly pattern: LinePattern;
  /** The place at which the search begins. */
  readonly place: SearchPlace;
  /** Waits for the caller's turn on the event loop. */
  readonly turn?: (() => Promise<void> | undefined) | undefined;
}

/** One search. It holds at most one chunk, and the beginning of one line for each stream. */
export class OutputSearch {
  readonly #streams: Readonly<Record<StreamName, StreamSearch>>;
  readonly #turn: SearchOptions["turn"];
  /** The cursor before the current chunk. Undefined when it is unknown. */
  #cursor: string | undefined;
  /** The number of chunks so far. */
  #index = 0;
  #beganMs = -Infinity;

  constructor({ pattern, place, turn }: SearchOptions) {
    const search = (from: number): StreamSearch => ({
      scanner: new LineScanner(pattern),
      from,
      next: from,
      began: undefined,
    });
    this.#streams = { stdout: search(place.stdout), stderr: search(place.stderr) };
    this.#cursor = place.cursor === "" ? undefined : place.cursor;
    this.#turn = turn;
  }

  /** The cursor with which this search can continue now. Empty when there is none. */
  get cursor(): string {
    const { stdout, stderr } = this.#streams;
    const begun = [stdout, stderr].flatMap(({ began }) => began ?? []).sort((a, b) => a.index - b.index);
    const cursor = begun[0] === undefined ? this.#cursor : begun[0].cursor;
    return cursor === undefined ? "" : formatSearchCursor({ cursor, stdout: stdout.next, stderr: stderr.next });
  }

  /**
   * Yields chunks of whole lines that match, and reports of dropped output. A part of a line that has more follows in the
   * next chunk of its stream, and has no cursor.
   *
   * @param chunks the output, whose first chunk may be an empty one with the cursor of the start
   */
  async *run(chunks: AsyncIterator<OutputChunk, OutputEnd>): AsyncGenerator<OutputChunk, OutputEnd, void> {
    while (true) {
      const { done, value } = await chunks.next();
      if (done) {
        for (const name of ["stdout", "stderr"] as const) yield* this.#finish(name);
        return { ...value, cursor: this.#endCursor(value.cursor) };
      }
      // Before the work, because many searches may have waited for their output or their readers.
      await this.#rest();
      if (value.data.length > 0) yield* this.#search(value);
      else if (value.droppedBytes > 0) yield* this.#gap(value);
      else this.#cursor = value.cursor;
    }
  }

  async *#search(chunk: OutputChunk): AsyncGenerator<OutputChunk, void, void> {
    const stream = this.#streams[chunk.stream];
    const { scanner } = stream;
    const skip = Math.max(0, stream.from - chunk.offset);
    if (skip < chunk.data.length) {
      const here = { chunk, index: this.#index++, cursor: this.#cursor };
      const offset = chunk.offset + skip;
      let { clockWentBack } = chunk;
      for (const matches of scanner.scan(chunk.data.subarray(skip), offset)) {
        for (const match of matches) {
          const from = match.offset < offset ? stream.began?.chunk ?? chunk : chunk;
          if (match.endsLine) {
            // The search would continue in this chunk, after this line.
            stream.began = here;
            stream.next = match.offset + match.data.length;
          }
          yield this.#message(from, match, clockWentBack);
          clockWentBack = false;
        }
        await this.#rest();
      }
      stream.next = scanner.lineStart;
      if (!scanner.hasOpenLine) stream.began = undefined;
      else if (scanner.lineStart >= offset) stream.began = here;
    }
    this.#cursor = chunk.cursor;
  }

  *#gap(chunk: OutputChunk): Generator<OutputChunk, void, void> {
    yield* this.#finish(chunk.stream);
    const stream = this.#streams[chunk.stream];
    stream.next = Math.max(stream.next, chunk.offset);
    this.#cursor = chunk.cursor;
    yield { ...chunk, cursor: this.cursor };
  }

  *#finish(name: StreamName): Generator<OutputChunk, void, void> {
    const stream = this.#streams[name];
    const { began } = stream;
    const matches = stream.scanner.finish();
    stream.next = stream.scanner.lineStart;
    stream.began = undefined;
    for (const match of matches) yield this.#message(began!.chunk, match, false);
  }

  #message(from: OutputChunk, { data, offset, endsLine }: Match, clockWentBack: boolean): OutputChunk {
    const { stream, time } = from;
    return { stream, data, offset, time, clockWentBack, cursor: endsLine ? this.cursor : "", droppedBytes: 0 };
  }

  #endCursor(cursor: string): string {
    return formatSearchCursor({ cursor, stdout: this.#streams.stdout.next, stderr: this.#streams.stderr.next });
  }

  /** Lets other work run after some milliseconds. */
  async #rest(): Promise<void> {
    if (performance.now() - this.#beganMs < STEP_MS) return;
    // The turn of a caller may be now, but an answer to another call takes several turns of the loop.
    await searchTurn();
    await this.#turn?.();
    this.#beganMs = performance.now();
  }
}
