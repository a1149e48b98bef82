/**
 * The output of one job as it grows: pieces are appended, written in batches, and only then published as a position
 * which readers may read up to. The log never touches a reader and never waits for one.
 */
import { createHash, type Hash } from "node:crypto";
import { CursorOutOfRangeError, OutputUnavailableError } from "./errors.ts";
import { formatCursor, LOG_START, parseCursor, type Place } from "./output_cursor.ts";
import { OutputFileReader, OutputFileWriter } from "./output_file.ts";
import {
  decodeRecord,
  encodeFileHeader,
  encodeRecord,
  MAX_PAYLOAD_BYTES,
  newSalt,
  RECORD_OVERHEAD_BYTES,
  type Salt,
  type Stream,
} from "./output_record.ts";

/**
 * What may wait for the disk before the job's own writes are held up: as much again is being written meanwhile, so a
 * job whose disk is slow holds twice this.
 */
const MAX_PENDING_BYTES = 262_144;

/** One read from the file: large enough for full speed, and for the longest record whole. */
const READ_BYTES = MAX_PAYLOAD_BYTES + RECORD_OVERHEAD_BYTES;

/** A piece of output as a reader gets it. */
export interface OutputPiece {
  readonly stream: Stream;
  /** Raw bytes as the job wrote them; never decoded, cut anywhere. */
  readonly data: Uint8Array;
  /** Of the first byte of data, in its stream. */
  readonly offset: number;
  /** When the first byte of data was read from the job. */
  readonly time: Date;
  /** Continues right behind this piece. */
  readonly cursor: string;
}

/** What the whole output amounts to. */
export interface OutputTotals {
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** Bytes that were read from the job and could not be kept. */
  readonly droppedBytes: number;
  /** SHA-256 of each stream from its first byte. */
  readonly stdoutSha256: Uint8Array;
  readonly stderrSha256: Uint8Array;
}

/** Pieces that stand one behind the other in the log, and the place behind the last. */
export interface Block {
  readonly pieces: readonly OutputPiece[];
  readonly next: Place;
}

interface Pending {
  readonly stream: Stream;
  readonly timeMs: number;
  readonly chunks: Uint8Array[];
  length: number;
}

/** The append-only output of one job. */
export class OutputLog {
  readonly #id: string;
  readonly #path: string;
  readonly #salt: Salt = newSalt();
  readonly #hashes: Readonly<Record<Stream, Hash>> = { stdout: createHash("sha256"), stderr: createHash("sha256") };
  #end: Place = LOG_START;
  #droppedBytes = 0;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #room = Promise.withResolvers<void>();
  #flushing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #writer: OutputFileWriter | undefined;
  #sealed = false;
  /** Why nothing more will come although the log is not sealed. */
  #abandoned: Error | undefined;
  readonly #waiters = new Set<() => void>();
  #readers = 0;
  #reader: Promise<OutputFileReader> | undefined;
  #block: { readonly position: number; readonly until: number; readonly read: Promise<Block> } | undefined;

  /** @param path of the file, which is made when the first byte comes */
  constructor(id: string, path: string) {
    this.#id = id;
    this.#path = path;
  }

  /** The place behind the last byte that can be read. */
  get end(): Place {
    return this.#end;
  }

  /** True once nothing more will come. */
  get sealed(): boolean {
    return this.#sealed;
  }

  /** Totals of what can be read. */
  totals(): OutputTotals {
    return {
      stdoutBytes: this.#end.offsets.stdout,
      stderrBytes: this.#end.offsets.stderr,
      droppedBytes: this.#droppedBytes,
      stdoutSha256: new Uint8Array(this.#hashes.stdout.copy().digest()),
      stderrSha256: new Uint8Array(this.#hashes.stderr.copy().digest()),
    };
  }

  /**
   * Appends a chunk, which the log owns from then on. Returns when there is room for more: a caller that waits for it
   * passes the disk's back-pressure on to the job.
   *
   * @throws whatever kept the disk from taking it; from then on nothing is taken any more
   */
  async append(stream: Stream, chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) {
      this.#droppedBytes += chunk.length;
      throw this.#failure.error;
    }
    const last = this.#pending.at(-1);
    if (last !== undefined && last.stream === stream && last.length + chunk.length <= MAX_PAYLOAD_BYTES) {
      last.chunks.push(chunk);
      last.length += chunk.length;
    } else {
      for (let at = 0; at < chunk.length; at += MAX_PAYLOAD_BYTES) {
        const part = chunk.subarray(at, at + MAX_PAYLOAD_BYTES);
        this.#pending.push({ stream, timeMs: Date.now(), chunks: [part], length: part.length });
      }
    }
    this.#pendingBytes += chunk.length;
    this.#flushing ??= this.#flush();
    if (this.#pendingBytes >= MAX_PENDING_BYTES) await this.#room.promise;
  }

  /** Writes what is pending, batch by batch: while one is on its way to the disk, the next gathers. */
  async #flush(): Promise<void> {
    // Chunks that arrive in the same turn of the event loop go together.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      const batchBytes = this.#pendingBytes;
      this.#pending = [];
      this.#pendingBytes = 0;
      const room = this.#room;
      this.#room = Promise.withResolvers<void>();
      room.resolve();
      try {
        await this.#write(batch);
      } catch (error) {
        this.#failure = { error };
        this.#droppedBytes += batchBytes + this.#pendingBytes;
        this.#pending = [];
        this.#pendingBytes = 0;
        this.#room.promise.catch(() => {}); // Nobody need be waiting.
        this.#room.reject(error);
      }
    }
    this.#flushing = undefined;
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    const bytes = new Uint8Array(batch.reduce((sum, { length }) => sum + length + RECORD_OVERHEAD_BYTES, 0));
    const offsets = { ...this.#end.offsets };
    let at = 0;
    for (const { stream, timeMs, chunks, length } of batch) {
      at = encodeRecord(bytes, at, this.#salt, { stream, timeMs, length, offset: offsets[stream] }, chunks);
      offsets[stream] += length;
    }
    this.#writer ??= await OutputFileWriter.create(
      this.#path,
      encodeFileHeader({ salt: this.#salt, base: this.#end.position, offsets: this.#end.offsets }),
    );
    await this.#writer.append(bytes);
    for (const { stream, chunks } of batch) for (const chunk of chunks) this.#hashes[stream].update(chunk);
    this.#end = { position: this.#end.position + bytes.length, offsets };
    this.#wake();
  }

  /** Waits until all that was appended is written or has failed, and throws the failure. */
  async flushed(): Promise<void> {
    await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Nothing more will come: readers end when they have read what is there. */
  async seal(): Promise<void> {
    await this.#flushing;
    await this.#writer?.[Symbol.asyncDispose]();
    this.#writer = undefined;
    this.#sealed = true;
    this.#wake();
  }

  /** Ends those who wait for more: they get this error. */
  abandon(error: Error): void {
    this.#abandoned = error;
    this.#wake();
  }

  /** Deletes the file. Readers that have it open may finish; others find the output unavailable. */
  async remove(): Promise<void> {
    if (this.#end.position > 0) await Deno.remove(this.#path);
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter();
  }

  /**
   * Resolves once the log reaches beyond `position` or is sealed; at once where it already is.
   *
   * @throws the signal's reason once it aborts
   * @throws what the log was abandoned with
   */
  async grown(position: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#abandoned !== undefined) throw this.#abandoned;
    if (this.#end.position > position || this.#sealed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = () => resolve();
    this.#waiters.add(wake);
    signal.addEventListener("abort", wake, { once: true });
    try {
      await promise;
    } finally {
      this.#waiters.delete(wake);
      signal.removeEventListener("abort", wake);
    }
    signal.throwIfAborted();
    if (this.#abandoned !== undefined) throw this.#abandoned;
  }

  /** Keeps the file open for reading until `release`; every reader holds one. */
  retain(): void {
    this.#readers += 1;
  }

  /** Gives back what `retain` took; the last one closes the file. */
  async release(): Promise<void> {
    this.#readers -= 1;
    if (this.#readers > 0) return;
    const reader = this.#reader;
    this.#reader = undefined;
    this.#block = undefined;
    const opened = await reader?.catch(() => undefined); // A file that did not open needs no closing.
    await opened?.[Symbol.asyncDispose]();
  }

  /**
   * Reads pieces from a place that lies before the end, up to `until` at most. Readers at the same place share one
   * reading. Pieces of one stream that follow each other are joined.
   *
   * @throws {OutputUnavailableError} when the file is gone or damaged
   */
  async read(from: Place, until: number): Promise<Block> {
    const shared = this.#block;
    if (shared !== undefined && shared.position === from.position && shared.until <= until) return await shared.read;
    const read = this.#readBlock(from, until);
    this.#block = { position: from.position, until, read };
    return await read;
  }

  async #readBlock(from: Place, until: number): Promise<Block> {
    const reader = await this.#open();
    const bytes = await this.#unlessDamaged(reader.read(from.position, Math.min(READ_BYTES, until - from.position)));
    const pieces: OutputPiece[] = [];
    const offsets = { ...from.offsets };
    let at = 0;
    while (true) {
      const first = decodeRecord(bytes, at, this.#salt);
      if (first === undefined) break;
      if (first === "damaged") throw new OutputUnavailableError(this.#id);
      const run = [first];
      let length = first.length;
      for (let end = first.end;;) {
        const next = decodeRecord(bytes, end, this.#salt);
        if (next === undefined || next === "damaged" || next.stream !== first.stream) break;
        run.push(next);
        length += next.length;
        end = next.end;
      }
      offsets[first.stream] = first.offset + length;
      at = run.at(-1)?.end ?? first.end;
      pieces.push({
        stream: first.stream,
        data: run.length === 1 ? first.payload : join(run.map(({ payload }) => payload), length),
        offset: first.offset,
        time: new Date(first.timeMs),
        cursor: formatCursor(this.#salt, { position: from.position + at, offsets }),
      });
    }
    if (at === 0) throw new OutputUnavailableError(this.#id); // A published record is always there whole.
    return { pieces, next: { position: from.position + at, offsets: { ...offsets } } };
  }

  /**
   * Returns the place a cursor stands for.
   *
   * @throws {InvalidCursorError} when this log never gave it out
   * @throws {CursorOutOfRangeError} when it lies beyond the end
   */
  resolve(cursor: string): Place {
    const place = parseCursor(cursor, this.#salt);
    if (place.position > this.#end.position) throw new CursorOutOfRangeError(cursor);
    return place;
  }

  async #open(): Promise<OutputFileReader> {
    this.#reader ??= OutputFileReader.open(this.#path);
    return await this.#unlessDamaged(this.#reader);
  }

  async #unlessDamaged<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (cause) {
      throw new OutputUnavailableError(this.#id, { cause });
    }
  }
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
