/**
 * The output of one job as it grows: pieces are appended, written in batches, and only then published as a place
 * which readers may read up to. The log never touches a reader and never waits for one.
 */
import { createHash, type Hash } from "node:crypto";
import { CursorOutOfRangeError, LimitReachedError } from "../errors.ts";
import { OutputUnavailableError } from "../storage_errors.ts";
import { LOG_START, type LogPosition, parseCursor } from "./cursor.ts";
import { type OutputBudget, type OutputLimit, segmentBytes } from "./limit.ts";
import { Batch, type BatchFrame } from "./batch.ts";
import { type Block, decodeBlock, joinFrames } from "./chunk.ts";
import {
  FRAME_OVERHEAD_BYTES,
  type FrameHeader,
  MAX_PAYLOAD_BYTES,
  offsetsAfter,
  type Stream,
  type StreamOffsets,
} from "./frame.ts";
import { SegmentSet } from "./segment_set.ts";

/** One read from the file, which every reader holds: large enough for full speed, and for the longest record whole. */
export const READ_BYTES = 2 * (MAX_PAYLOAD_BYTES + FRAME_OVERHEAD_BYTES);

/** What the whole output amounts to. */
export interface OutputTotals {
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** Bytes that are not on record any more, or never were, because of a limit or a disk that would not take them. */
  readonly droppedBytes: number;
  /** SHA-256 of each stream from its first byte; empty where a crash left it unknown. */
  readonly stdoutSha256: Uint8Array;
  readonly stderrSha256: Uint8Array;
}

/** Options of a log. */
export interface OutputLogOptions {
  /** Where its files go; made when the first byte comes. */
  readonly directory: string;
  readonly limit?: OutputLimit;
  /** Shared with all logs on the same disk. */
  readonly budget?: OutputBudget;
}

/** One who waits for the log to grow. */
interface Waiter {
  resolves: (() => void)[];
}

/**
 * So many readers are woken in one turn of the event loop: what each needs for a moment is garbage before the next turn,
 * and others, such as a status call, have theirs between.
 */
const WOKEN_TOGETHER = 50;

function wakeSome(waiters: readonly Waiter[], from: number): void {
  const to = from + WOKEN_TOGETHER;
  for (const waiter of waiters.slice(from, to)) resolveAll(waiter);
  if (to < waiters.length) setImmediate(() => wakeSome(waiters, to));
}

function resolveAll(waiter: Waiter): void {
  const { resolves } = waiter;
  waiter.resolves = [];
  for (const resolve of resolves) resolve();
}

/** The append-only output of one job. */
export class OutputLog {
  /** The job's. */
  readonly id: string;
  readonly #limit: OutputLimit | undefined;
  readonly #segments: SegmentSet;
  readonly #hashes: Readonly<Record<Stream, Hash>> = { stdout: createHash("sha256"), stderr: createHash("sha256") };
  /** Longest payload of a record: with files smaller than a record, nothing could be dropped in time. */
  readonly #maxPayloadBytes: number;
  #start: LogPosition = LOG_START;
  #end: LogPosition = LOG_START;
  #acceptedBytes = 0;
  #unrecordedBytes = 0;
  /** Of the last record. */
  #clock: Pick<FrameHeader, "timeMs" | "isUnordered"> = { timeMs: 0, isUnordered: false };
  #batch: Batch | undefined;
  #room = Promise.withResolvers<void>();
  #flushing: Promise<void> | undefined;
  /** Why nothing is taken any more. */
  #refusal: Error | undefined;
  readonly #refused = Promise.withResolvers<Error>();
  #sealed = false;
  #removed = false;
  /** Totals of a log that ended in an earlier life of the server; its files are opened when somebody reads. */
  #restored: { readonly totals: OutputTotals; opened?: Promise<void> } | undefined;
  /** Why nothing more will come although the log is not sealed. */
  #abandoned: Error | undefined;
  readonly #waiters = new Set<Waiter>();
  readonly #waiterOfSignal = new WeakMap<AbortSignal, Waiter>();
  #readers = 0;
  #block: { readonly position: number; readonly exact: boolean; readonly read: Promise<Block | undefined> } | undefined;

  constructor(id: string, options: OutputLogOptions) {
    this.id = id;
    this.#limit = options.limit;
    this.#segments = new SegmentSet(id, options.directory, options.budget);
    this.#maxPayloadBytes = Math.min(MAX_PAYLOAD_BYTES, segmentBytes(options.limit));
  }

  /**
   * Takes up a log that was sealed in an earlier life of the server.
   *
   * @param end the place behind its last byte
   */
  static restore(id: string, options: OutputLogOptions, end: LogPosition, totals: OutputTotals): OutputLog {
    const log = new OutputLog(id, options);
    log.#end = end;
    log.#sealed = true;
    log.#restored = { totals };
    return log;
  }

  /** Stands for a log that could not be taken up: whoever reads it is told so. */
  static unavailable(id: string, options: OutputLogOptions): OutputLog {
    const log = new OutputLog(id, options);
    const none = new Uint8Array();
    const opened = Promise.reject(new OutputUnavailableError(id));
    opened.catch(() => {}); // Told to those who read.
    log.#sealed = true;
    log.#restored = {
      totals: { stdoutBytes: 0, stderrBytes: 0, droppedBytes: 0, stdoutSha256: none, stderrSha256: none },
      opened,
    };
    return log;
  }

  /**
   * Takes up a log that a crash left: reads it through, cuts a torn tail, and seals it.
   *
   * @throws {OutputUnavailableError} when it is damaged elsewhere than at its end; it stays as it is
   */
  static async recover(id: string, options: OutputLogOptions): Promise<OutputLog> {
    const log = new OutputLog(id, options);
    await log.#unlessDamaged(log.#segments.open());
    log.#start = log.#segments.start;
    log.#end = log.#start;
    const fromStart = log.#start.position === 0;
    for (const segment of log.#segments.all) {
      if (segment.start !== log.#end.position) break;
      while (log.#end.position < segment.end) {
        const bytes = await segment.read(log.#end.position, READ_BYTES);
        const block = decodeBlock(bytes, log.#end.position, log.#segments.identity, true);
        if (block === undefined) break;
        for (const { stream, data } of block.chunks) if (fromStart) log.#hashes[stream].update(data);
        log.#end = block.next;
      }
    }
    // A tear has nothing behind it. To cut at a damaged record would delete what is behind it, and count it as never written.
    if (await log.#segments.hasFrameAfter(log.#end.position)) throw new OutputUnavailableError(id);
    await log.#segments.cut(log.#end.position);
    await log.#segments.closeReaders();
    log.#sealed = true;
    if (!fromStart) {
      const none = new Uint8Array();
      log.#restored = {
        totals: { ...log.totals(), stdoutSha256: none, stderrSha256: none },
        opened: Promise.resolve(),
      };
    }
    return log;
  }

  /** The first place that can be read. */
  get start(): LogPosition {
    return this.#start;
  }

  /** The place behind the last byte that can be read. */
  get end(): LogPosition {
    return this.#end;
  }

  /** True once nothing more will come. */
  get isSealed(): boolean {
    return this.#sealed;
  }

  /** Resolves with the reason once nothing is taken any more. */
  get refused(): Promise<Error> {
    return this.#refused.promise;
  }

  /** Bytes that are not on record any more, or never were. */
  get droppedBytes(): number {
    const { stdout, stderr } = this.#start.offsets;
    return this.#restored?.totals.droppedBytes ?? this.#unrecordedBytes + stdout + stderr;
  }

  /** What all output so far amounts to. */
  totals(): OutputTotals {
    if (this.#restored !== undefined) return this.#restored.totals;
    return {
      stdoutBytes: this.#end.offsets.stdout,
      stderrBytes: this.#end.offsets.stderr,
      droppedBytes: this.droppedBytes,
      stdoutSha256: new Uint8Array(this.#hashes.stdout.copy().digest()),
      stderrSha256: new Uint8Array(this.#hashes.stderr.copy().digest()),
    };
  }

  /**
   * Appends a chunk, which is copied. Resolves when all of it found room: a caller that waits for it passes the disk's
   * back-pressure on to the job, and that of the limit where its policy is to block.
   *
   * @param ended ends the wait at a limit that blocks: the job is over
   * @throws {LimitReachedError} when the limit's policy is to stop the job, and always from then on
   * @throws whatever kept the disk from taking it; from then on nothing is taken any more
   */
  async append(stream: Stream, chunk: Uint8Array, ended?: AbortSignal): Promise<void> {
    let taken = 0;
    try {
      while (taken < chunk.length) {
        if (this.#refusal !== undefined) throw this.#refusal;
        const part = chunk.subarray(taken, taken + this.#roomInLimit());
        if (part.length === 0) {
          if (this.#limit?.policy === "BLOCK") return await aborted(ended);
          this.#refuse(new LimitReachedError(`The job wrote more than its limit of "${this.#limit?.maxBytes}" bytes`));
          continue;
        }
        const gathered = this.#gather(stream, part);
        taken += gathered;
        if (gathered < part.length) await this.#room.promise;
      }
    } finally {
      this.#unrecordedBytes += chunk.length - taken;
    }
  }

  #roomInLimit(): number {
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

  /** Writes what was gathered, batch by batch: while one is on its way to the disk, the next gathers. */
  async #flush(): Promise<void> {
    // Chunks that arrive in the same turn of the event loop go together.
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
        // What was taken and is not on record never will be.
        this.#unrecordedBytes += this.#acceptedBytes - sum(this.#end.offsets);
        this.#acceptedBytes = sum(this.#end.offsets);
        this.#batch = undefined;
        this.#refuse(error instanceof Error ? error : new Error(String(error)));
      }
      batch.recycle();
    }
    this.#flushing = undefined;
  }

  /** Nothing is taken any more. What was taken before is still written. */
  #refuse(error: Error): void {
    this.#refusal ??= error;
    this.#refused.resolve(this.#refusal);
    this.#room.resolve(); // Those who wait for room find the refusal.
  }

  async #write(batch: Batch): Promise<void> {
    const perFile = segmentBytes(this.#limit);
    const records = batch.frames(this.#segments.identity, this.#end.offsets, this.#clock);
    for (let from = 0; from < records.length;) {
      const fresh = this.#segments.newestBytes >= perFile;
      const room = fresh ? perFile : perFile - this.#segments.newestBytes;
      const start = records[from]?.at ?? 0;
      let to = from + 1;
      while (to < records.length && (records[to]?.at ?? 0) - start < room) to += 1;
      await this.#writeGroup(batch, records.slice(from, to), fresh);
      await this.#dropOld();
      from = to;
    }
  }

  async #writeGroup(batch: Batch, group: readonly BatchFrame[], fresh: boolean): Promise<void> {
    const bytes = batch.bytes(group);
    const before = this.#end;
    await this.#segments.append(bytes, before.offsets, fresh);
    for (const { stream, payload } of group) this.#hashes[stream].update(payload);
    const last = group.at(-1) as BatchFrame;
    this.#end = { position: before.position + bytes.length, offsets: offsetsAfter(last) };
    this.#clock = last;
    if (this.#waiters.size > 0) this.#offer(group, before);
    this.#wake();
  }

  /** Those who wait for this very batch need not read it back from the file. */
  #offer(group: readonly BatchFrame[], before: LogPosition): void {
    const start = group[0]?.at ?? 0;
    const pieces = group.map((record) => {
      const place = { position: before.position + record.end - start, offsets: offsetsAfter(record) };
      return joinFrames([{ ...record, payload: record.payload.slice() }], this.#segments.identity, place);
    });
    this.#block = {
      position: before.position,
      exact: true,
      read: Promise.resolve({ chunks: pieces, next: this.#end }),
    };
  }

  async #dropOld(): Promise<void> {
    if (this.#limit?.policy !== "KEEP_NEWEST") return;
    const kept = () => sum(this.#end.offsets) - sum(this.#segments.start.offsets);
    while (this.#segments.all.length > 1 && kept() > this.#limit.maxBytes) {
      const dropped = this.#segments.dropOldest();
      // In the same turn: a reader that finds nothing where the log is said to begin must not look there for ever.
      this.#start = this.#segments.start;
      await dropped;
    }
  }

  /** Resolves when all that was taken is on record, or never will be. */
  async flushed(): Promise<void> {
    await this.#flushing;
  }

  /** Nothing more will come: readers end when they have read what is there. */
  async seal(): Promise<void> {
    await this.flushed();
    this.#segments.finish();
    this.#sealed = true;
    this.#wake();
  }

  /**
   * Returns what the files take on the disk, in bytes. From now on the caller answers for it in the budget, also when
   * they are deleted.
   */
  transferQuota(): number {
    return this.#segments.transferQuota();
  }

  /** Ends those who wait for more: they get this error. */
  abandon(error: Error): void {
    this.#abandoned = error;
    this.#wake();
  }

  /** Deletes the files. */
  async remove(): Promise<void> {
    await this.#opened();
    this.#removed = true; // Those who read find nothing more, rather than look for where the log begins now.
    await this.#segments.remove();
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    wakeSome(waiters, 0);
  }

  /**
   * Resolves once the log reaches beyond `position` or is sealed; at once where it already is.
   *
   * @throws the signal's reason once it aborts
   * @throws what the log was abandoned with
   */
  async waitForGrowth(position: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#abandoned !== undefined) throw this.#abandoned;
    if (this.#end.position > position || this.#sealed) return;
    const waiter = this.#waiterOf(signal);
    this.#waiters.add(waiter);
    await new Promise<void>((resolve) => waiter.resolves.push(resolve));
    signal.throwIfAborted();
    if (this.#abandoned !== undefined) throw this.#abandoned;
  }

  /** A reader waits for every line anew, but with one signal, which is listened to once: a thousand readers do so. */
  #waiterOf(signal: AbortSignal): Waiter {
    const known = this.#waiterOfSignal.get(signal);
    if (known !== undefined) return known;
    const waiter: Waiter = { resolves: [] };
    signal.addEventListener("abort", () => {
      this.#waiters.delete(waiter);
      resolveAll(waiter);
    }, { once: true });
    this.#waiterOfSignal.set(signal, waiter);
    return waiter;
  }

  /** How many read it now. */
  get readers(): number {
    return this.#readers;
  }

  /** Keeps files open for reading until `release`; every reader holds one. */
  async retain(): Promise<void> {
    this.#readers += 1;
    await this.#opened();
  }

  /** Gives back what `retain` took; the last one closes the files. */
  async release(): Promise<void> {
    this.#readers -= 1;
    if (this.#readers > 0) return;
    this.#block = undefined;
    await this.#segments.closeReaders();
  }

  async #opened(): Promise<void> {
    if (this.#restored === undefined) return;
    this.#restored.opened ??= this.#segments.open();
    await this.#unlessDamaged(this.#restored.opened);
    this.#start = this.#segments.start;
    // Nothing is dropped to the last: what is on record is not on the disk any more.
    if (this.#segments.all.length === 0 && this.#end.position > 0) {
      throw this.#abandoned ?? new OutputUnavailableError(this.id);
    }
  }

  /**
   * Reads pieces from a place that lies before the end, up to `until` at most. Readers at the same place share one
   * reading. Undefined when the place was dropped: the log starts later now.
   *
   * @param exact leaves every record a piece of its own, so that each has its time
   * @throws {OutputUnavailableError} when the files are gone or damaged
   */
  async read(from: LogPosition, until: number, exact: boolean): Promise<Block | undefined> {
    const shared = this.#block;
    if (shared?.position === from.position && (shared.exact || !exact)) {
      const block = await shared.read;
      if (block === undefined || block.next.position <= until) return block;
    }
    const read = this.#readBlock(from, until, exact);
    this.#block = { position: from.position, exact, read };
    return await read;
  }

  async #readBlock(from: LogPosition, until: number, exact: boolean): Promise<Block | undefined> {
    const bytes = await this.bytes(from.position, until - from.position);
    if (bytes === undefined) {
      if (this.#removed) throw this.#abandoned ?? new OutputUnavailableError(this.id);
      return undefined;
    }
    const block = decodeBlock(bytes, from.position, this.#segments.identity, exact);
    if (block === undefined) throw new OutputUnavailableError(this.id); // A published record is always there whole.
    return block;
  }

  /** Reads raw bytes of the log, `READ_BYTES` at most and of one file; undefined when they were dropped. */
  async bytes(position: number, maxBytes: number): Promise<Uint8Array | undefined> {
    return await this.#unlessDamaged(this.#segments.read(position, Math.min(READ_BYTES, maxBytes)));
  }

  /** The files by where they begin, for those who look for a place without reading all. */
  get segments(): SegmentSet {
    return this.#segments;
  }

  /**
   * Returns the place a cursor stands for. The log must be retained.
   *
   * @throws {InvalidCursorError} when this log never gave it out
   * @throws {CursorOutOfRangeError} when it lies beyond the end
   */
  resolve(cursor: string): LogPosition {
    const place = parseCursor(cursor, this.#segments.identity);
    if (place.position > this.#end.position) throw new CursorOutOfRangeError(cursor);
    return place;
  }

  async #unlessDamaged<T>(result: Promise<T>): Promise<T> {
    try {
      return await result;
    } catch (cause) {
      throw new OutputUnavailableError(this.id, { cause });
    }
  }
}

function sum({ stdout, stderr }: StreamOffsets): number {
  return stdout + stderr;
}

async function aborted(signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined || signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
