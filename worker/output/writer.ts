/** Writes a job's output: gathers chunks in batches, appends them to the files, and moves the end of the log. */
import { asError } from "../../base/as_error.ts";
import { createHash, type Hash } from "node:crypto";
import { LimitReachedError } from "../errors.ts";
import { Batch, type BatchFrame } from "./batch.ts";
import type { LogPosition, LogRange } from "./cursor.ts";
import { type FrameHeader, MAX_PAYLOAD_BYTES, offsetsAfter, type Stream, type StreamOffsets } from "./frame.ts";
import { type OutputLimit, segmentBytes } from "./limit.ts";
import type { SegmentSet } from "./segment_set.ts";
import type { OutputTotals } from "./totals.ts";
import { aborted } from "../../base/aborted.ts";

/** The digest of no bytes. */
const EMPTY_SHA256 = new Uint8Array(createHash("sha256").digest());

/** Hears of changes of the log. */
export interface LogWriterEvents {
  /** Called after frames were written and the end has moved, with the position of the first frame. */
  readonly written: (frames: readonly BatchFrame[], from: LogPosition) => void;
  /** Called after old frames were dropped and the start has moved. */
  readonly dropped: () => void;
}

/** The writing side of a log. It never waits for a reader. */
export class LogWriter {
  readonly #segments: SegmentSet;
  readonly #range: LogRange;
  readonly #limit: OutputLimit | undefined;
  readonly #events: LogWriterEvents;
  /** A stream has one from its first byte on, because many jobs write to one stream or to none. */
  readonly #hashes: Partial<Record<Stream, Hash>> = {};
  /** The longest payload. Frames are not larger than a file, so that each file can be dropped in time. */
  readonly #maxPayloadBytes: number;
  /** The bytes in batches and files, without failed ones. */
  #acceptedBytes = 0;
  /** The bytes that were never stored. */
  #lostBytes = 0;
  /** The time and flag of the last frame. */
  #clock: Pick<FrameHeader, "timeMs" | "isUnordered"> = { timeMs: 0, isUnordered: false };
  /** The batch that gathers. */
  #batch: Batch | undefined;
  /** Resolves when the next batch begins, or when the writer fails. */
  #room = Promise.withResolvers<void>();
  #flushing: Promise<void> | undefined;
  #failure: Error | undefined;
  readonly #failed = Promise.withResolvers<Error>();

  constructor(segments: SegmentSet, range: LogRange, limit: OutputLimit | undefined, events: LogWriterEvents) {
    this.#segments = segments;
    this.#range = range;
    this.#limit = limit;
    this.#events = events;
    this.#maxPayloadBytes = Math.min(MAX_PAYLOAD_BYTES, segmentBytes(limit));
  }

  /** Resolves with the reason once the writer refuses all further output. */
  get failed(): Promise<Error> {
    return this.#failed.promise;
  }

  /** The bytes that are not in the log: dropped, or never stored. */
  get droppedBytes(): number {
    return this.#lostBytes + sum(this.#range.start.offsets);
  }

  /** Returns the totals of the output so far. */
  totals(): OutputTotals {
    const { stdout, stderr } = this.#range.end.offsets;
    return {
      stdoutBytes: stdout,
      stderrBytes: stderr,
      droppedBytes: this.droppedBytes,
      stdoutSha256: this.#digestOf("stdout"),
      stderrSha256: this.#digestOf("stderr"),
    };
  }

  #digestOf(stream: Stream): Uint8Array {
    const hash = this.#hashes[stream];
    return hash === undefined ? EMPTY_SHA256.slice() : new Uint8Array(hash.copy().digest());
  }

  /**
   * Appends a chunk, which is copied. Resolves when all of it fits into a batch, so a caller that waits passes the
   * back-pressure of the disk on to the job. A `BLOCK` limit waits until `ended` aborts.
   *
   * @throws {LimitReachedError} when a `STOP` limit is reached, now or at an earlier call
   * @throws the error of an earlier failed write
   */
  async append(stream: Stream, chunk: Uint8Array, ended?: AbortSignal): Promise<void> {
    let taken = 0;
    try {
      while (taken < chunk.length) {
        if (this.#failure !== undefined) throw this.#failure;
        const part = chunk.subarray(taken, taken + this.#limitRoom());
        if (part.length === 0) {
          if (this.#limit?.policy === "BLOCK") return ended && await aborted(ended);
          this.#fail(
            new LimitReachedError(`The job wrote more than its output limit of ${this.#limit?.maxBytes} bytes`),
          );
          continue;
        }
        const gathered = this.#gather(stream, part);
        taken += gathered;
        if (gathered < part.length) await this.#room.promise;
      }
    } finally {
      this.#lostBytes += chunk.length - taken;
    }
  }

  #limitRoom(): number {
    const limit = this.#limit;
    return limit === undefined || limit.policy === "KEEP_NEWEST" ? Infinity : limit.maxBytes - this.#acceptedBytes;
  }

  #gather(stream: Stream, bytes: Uint8Array): number {
    this.#batch ??= new Batch();
    const taken = this.#batch.add(stream, bytes, Date.now(), this.#maxPayloadBytes);
    this.#acceptedBytes += taken;
    this.#flushing ??= this.#flush();
    return taken;
  }

  /** Resolves when all accepted output is written, or lost. */
  async flushed(): Promise<void> {
    await this.#flushing;
  }

  /** Writes batch after batch. The next batch gathers while one is written. */
  async #flush(): Promise<void> {
    // Chunks that arrive in the same turn of the event loop go into one batch.
    await Promise.resolve();
    while (this.#batch !== undefined) {
      const batch = this.#batch;
      this.#batch = undefined;
      const room = this.#room;
      this.#room = Promise.withResolvers<void>();
      room.resolve();
      try {
        await this.#write(batch);
      } catch (error) {
        // Accepted bytes that are not in a file are lost.
        this.#lostBytes += this.#acceptedBytes - sum(this.#range.end.offsets);
        this.#acceptedBytes = sum(this.#range.end.offsets);
        this.#batch = undefined;
        this.#fail(asError(error));
      }
      batch.recycle();
    }
    this.#flushing = undefined;
  }

  /** Refuses further output. Accepted output is still written. */
  #fail(error: Error): void {
    this.#failure ??= error;
    this.#failed.resolve(this.#failure);
    this.#room.resolve(); // Appends that wait for room find the failure.
  }

  /** Writes a batch, split so that no file grows too large. */
  async #write(batch: Batch): Promise<void> {
    const maxFileBytes = segmentBytes(this.#limit);
    const frames = batch.frames(this.#segments.identity, this.#range.end.offsets, this.#clock);
    for (let from = 0; from < frames.length;) {
      const inNewFile = this.#segments.newestBytes >= maxFileBytes;
      const room = inNewFile ? maxFileBytes : maxFileBytes - this.#segments.newestBytes;
      const start = frames[from]?.start ?? 0;
      let to = from + 1;
      while (to < frames.length && (frames[to]?.start ?? 0) - start < room) to += 1;
      await this.#writeFrames(batch, frames.slice(from, to), inNewFile);
      await this.#dropOld();
      from = to;
    }
  }

  async #writeFrames(batch: Batch, frames: readonly BatchFrame[], inNewFile: boolean): Promise<void> {
    const bytes = batch.bytes(frames);
    const from = this.#range.end;
    await this.#segments.append(bytes, from.offsets, inNewFile);
    for (const { stream, payload } of frames) (this.#hashes[stream] ??= createHash("sha256")).update(payload);
    const last = frames.at(-1) as BatchFrame;
    this.#range.end = { position: from.position + bytes.length, offsets: offsetsAfter(last) };
    this.#clock = last;
    this.#events.written(frames, from);
  }

  /** Drops the oldest files while the rest holds more than a `KEEP_NEWEST` limit. */
  async #dropOld(): Promise<void> {
    if (this.#limit?.policy !== "KEEP_NEWEST") return;
    const keptBytes = () => sum(this.#range.end.offsets) - sum(this.#segments.start.offsets);
    while (this.#segments.all.length > 1 && keptBytes() > this.#limit.maxBytes) {
      const dropped = this.#segments.dropOldest();
      // In the same turn, so that a reader that finds no bytes sees that the log starts later now.
      this.#range.start = this.#segments.start;
      this.#events.dropped();
      await dropped;
    }
  }
}

function sum({ stdout, stderr }: StreamOffsets): number {
  return stdout + stderr;
}
