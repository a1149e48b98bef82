/** Reads the files of a log for all its readers, which share descriptors and blocks. */
import { CursorOutOfRangeError } from "../errors.ts";
import { OutputUnavailableError } from "../storage_errors.ts";
import type { BatchFrame } from "./batch.ts";
import { type Block, chunkOf, decodeBlock } from "./chunk.ts";
import { formatCursor, type LogPosition, type LogRange, parseCursor } from "./cursor.ts";
import { FRAME_OVERHEAD_BYTES, MAX_PAYLOAD_BYTES, offsetsAfter } from "./frame.ts";
import type { LogIdentity } from "./log_identity.ts";
import type { Segment } from "./segment.ts";

/** The bytes of one read, which each reader holds. It is large enough for full speed and for the longest frame. */
export const READ_BYTES = 2 * (MAX_PAYLOAD_BYTES + FRAME_OVERHEAD_BYTES);

/** The block that was read last. */
interface SharedBlock {
  readonly position: number;
  readonly exact: boolean;
  readonly read: Promise<Block | undefined>;
  /** The block, once it was read. */
  block?: Block;
}

/** The files of a log. */
export interface LogFiles {
  readonly identity: LogIdentity;
  /** The files, the oldest first. */
  readonly all: readonly Segment[];
  /** The first position that can be read. */
  readonly start: LogPosition;
  /**
   * Reads from a position, within one file. Undefined when the file was deleted.
   *
   * @param memory the place of the bytes; absent: new memory
   */
  read(position: number, maxBytes: number, memory?: Uint8Array): Promise<Uint8Array | undefined>;
  /** Closes all files for reading. */
  closeReaders(): Promise<void>;
}

/** The reading side of a log. */
export class LogReader {
  /** The id of the job. */
  readonly id: string;
  readonly #segments: LogFiles;
  readonly #range: LogRange;
  readonly #openFiles: (() => Promise<void>) | undefined;
  #count = 0;
  #shared: SharedBlock | undefined;
  #isRemoved = false;
  #abandoned: Error | undefined;

  /** @param openFiles opens the files that it has not opened yet; undefined for a log that this process writes */
  constructor(id: string, segments: LogFiles, range: LogRange, openFiles?: () => Promise<void>) {
    this.id = id;
    this.#segments = segments;
    this.#range = range;
    this.#openFiles = openFiles;
  }

  /** The number of active readers. */
  get count(): number {
    return this.#count;
  }

  /** The identity of the log. */
  get identity(): LogIdentity {
    return this.#segments.identity;
  }

  /** The first position that can be read. */
  get start(): LogPosition {
    return this.#range.start;
  }

  /** The positions at which files start, in ascending order. */
  get fileStarts(): readonly number[] {
    return this.#segments.all.map(({ start }) => start);
  }

  /**
   * Begins reading. Files stay open until the last reader calls `release()`.
   *
   * @throws {OutputUnavailableError} when the files are missing or damaged; `release()` must still be called
   */
  async retain(): Promise<void> {
    this.#count += 1;
    await this.open();
  }

  /** Ends reading. The last reader closes the files. */
  async release(): Promise<void> {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#shared = undefined;
    await this.#segments.closeReaders();
  }

  /** Opens the files of a log that another process writes or wrote. */
  async open(): Promise<void> {
    if (this.#openFiles === undefined) return;
    const { end } = this.#range; // It may move while the files are opened.
    await this.#unlessDamaged(this.#openFiles());
    this.#range.start = this.#segments.start;
    // Retention never drops the last file, so the output is lost when no file is left.
    if (this.#segments.all.length === 0 && end.position > 0) throw this.#unavailable();
  }

  /**
   * Reads chunks. Readers at the same position share one read.
   *
   * @param from a position before the end
   * @param until the position at which to end, at the latest
   * @param exact true to return each frame as a chunk of its own, with its own time
   * @param memory the place of the bytes, which the caller uses again later: such a read is not shared; absent: new memory
   * @returns undefined when the position was dropped: the log starts later now; no promise when another reader has
   * read the block already
   * @throws {OutputUnavailableError} when the files are missing or damaged
   */
  read(
    from: LogPosition,
    until: number,
    exact: boolean,
    memory?: Uint8Array,
  ): Block | Promise<Block | undefined> {
    const shared = this.#shared;
    if (shared?.position !== from.position || (exact && !shared.exact)) {
      return memory === undefined ? this.#share(from, until, exact) : this.#readBlock(from, until, exact, memory);
    }
    if (shared.block === undefined) return this.#readShared(shared, from, until, exact);
    return shared.block.next.position <= until ? shared.block : this.#share(from, until, exact);
  }

  async #readShared(shared: SharedBlock, from: LogPosition, until: number, exact: boolean): Promise<Block | undefined> {
    const block = await shared.read;
    return block === undefined || block.next.position <= until ? block : await this.#share(from, until, exact);
  }

  async #share(from: LogPosition, until: number, exact: boolean): Promise<Block | undefined> {
    const shared: SharedBlock = { position: from.position, exact, read: this.#readBlock(from, until, exact) };
    this.#shared = shared;
    const block = await shared.read;
    if (block !== undefined) shared.block = block;
    return block;
  }

  async #readBlock(
    from: LogPosition,
    until: number,
    exact: boolean,
    memory?: Uint8Array,
  ): Promise<Block | undefined> {
    const bytes = await this.bytes(from.position, until - from.position, memory);
    if (bytes === undefined) {
      if (this.#isRemoved) throw this.#unavailable();
      // The other process has deleted a file and has not reported the new start yet. A reader must not wait for the report
      // by trying again: that would block the event loop, which receives the report.
      if (this.#openFiles !== undefined) this.#range.start = this.#segments.start;
      return undefined;
    }
    const block = decodeBlock(bytes, from.position, this.identity, exact);
    if (block === undefined) throw new OutputUnavailableError(this.id); // Every frame before the end is whole.
    return block;
  }

  /**
   * Takes frames that were just written, so that waiting readers need not read them from the file.
   *
   * @param frames consecutive frames, whose payloads are copied
   * @param from the position of the first frame
   */
  offer(frames: readonly BatchFrame[], from: LogPosition): void {
    const batchStart = frames[0]?.start ?? 0;
    const chunks = frames.map((frame) => {
      const next = { position: from.position + frame.end - batchStart, offsets: offsetsAfter(frame) };
      return chunkOf(frame, frame.payload.slice(), this.identity, next);
    });
    const block = { chunks, next: this.#range.end };
    this.#shared = { position: from.position, exact: true, read: Promise.resolve(block), block };
  }

  /**
   * Reads raw bytes of one file.
   *
   * @param maxBytes the number of bytes, at most `READ_BYTES`
   * @param memory the place of the bytes; absent: new memory
   * @returns undefined when the position was dropped
   */
  async bytes(position: number, maxBytes: number, memory?: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#unlessDamaged(this.#segments.read(position, Math.min(READ_BYTES, maxBytes), memory));
  }

  /** Formats a position as a cursor. */
  cursorAt(position: LogPosition): string {
    return formatCursor(this.identity, position);
  }

  /**
   * Returns the position of a cursor. Call `retain()` before.
   *
   * @throws {InvalidCursorError} when this log did not create the cursor
   * @throws {CursorOutOfRangeError} when the position is after the end
   */
  resolve(cursor: string): LogPosition {
    const found = parseCursor(cursor, this.identity);
    if (found.position > this.#range.end.position) throw new CursorOutOfRangeError(cursor);
    return found;
  }

  /** Sets the error that readers get when the files are removed. */
  abandon(error: Error): void {
    this.#abandoned = error;
  }

  /** Notes that the files are being removed, so a reader that finds none fails and does not look for a later start. */
  markRemoved(): void {
    this.#isRemoved = true;
  }

  #unavailable(): Error {
    return this.#abandoned ?? new OutputUnavailableError(this.id);
  }

  async #unlessDamaged<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (cause) {
      throw this.#isRemoved ? this.#unavailable() : new OutputUnavailableError(this.id, { cause });
    }
  }
}
