/** The output of one job: an append-only log with one writer and any number of readers. */
import type { FileModes } from "../../base/file_modes.ts";
import type { LogPosition, LogRange } from "./cursor.ts";
import { LOG_START } from "./cursor.ts";
import type { Stream } from "./frame.ts";
import type { OutputLimit, OutputQuota } from "./limit.ts";
import type { LogSummary, ReadableLog } from "./readable_log.ts";
import { LogReader } from "./reader.ts";
import { SegmentSet } from "./segment_set.ts";
import type { OutputTotals } from "./totals.ts";
import { GrowthWaiters } from "./waiters.ts";
import { LogWriter } from "./writer.ts";

/** Options of a log. */
export interface OutputLogOptions {
  /** The directory of its files. The first write creates it. */
  readonly directory: string;
  readonly limit?: OutputLimit;
  /** The modes of its files. Default: for the owner alone. */
  readonly modes?: FileModes;
  /** The disk space that all logs share. */
  readonly budget?: OutputQuota;
  /** Called after the readable range has moved: the log has grown, or has lost its beginning. */
  readonly onMoved?: () => void;
}

/** A complete log that an earlier process wrote. */
export interface CompleteLog {
  readonly segments: SegmentSet;
  readonly range: LogRange;
  readonly totals: OutputTotals;
  /** Opens the files at the first call. Called whenever somebody begins to read. */
  readonly openFiles: () => Promise<void>;
}

/**
 * The output of one job.
 *
 * @example
 * ```ts
 * const directory = await Deno.makeTempDir();
 * const log = new OutputLog("job-1", { directory: `${directory}/job-1` });
 * await log.append("stdout", new TextEncoder().encode("hello\n"));
 * await log.seal();
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class OutputLog implements ReadableLog {
  /** The id of the job. */
  readonly id: string;
  /** The reading side. */
  readonly reader: LogReader;
  readonly #segments: SegmentSet;
  readonly #range: LogRange;
  readonly #waiters = new GrowthWaiters();
  /** Absent in a complete log. */
  readonly #writer: LogWriter | undefined;
  /** Present in a complete log. */
  readonly #totals: OutputTotals | undefined;
  #isSealed: boolean;

  /** @param complete the log to read; absent for a new log, which this process writes */
  constructor(id: string, options: OutputLogOptions, complete?: CompleteLog) {
    this.id = id;
    this.#segments = complete?.segments ?? new SegmentSet(id, options.directory, options.budget, options.modes);
    this.#range = complete?.range ?? { start: LOG_START, end: LOG_START };
    this.#totals = complete?.totals;
    this.#isSealed = complete !== undefined;
    this.reader = new LogReader(id, this.#segments, this.#range, complete?.openFiles);
    if (complete !== undefined) return;
    this.#writer = new LogWriter(this.#segments, this.#range, options.limit, {
      written: (frames, from) => {
        if (this.#waiters.hasAny) this.reader.offer(frames, from);
        this.#waiters.wakeAll();
        options.onMoved?.();
      },
      dropped: () => options.onMoved?.(),
    });
  }

  /** The first position that can be read. */
  get start(): LogPosition {
    return this.#range.start;
  }

  /** The position after the last byte that can be read. */
  get end(): LogPosition {
    return this.#range.end;
  }

  /** Always true: this process writes the log, or the log is complete. */
  get isCurrent(): boolean {
    return true;
  }

  /** True once the log is complete. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** Resolves with the reason once the log refuses all further output. */
  get refused(): Promise<Error> {
    return this.#openWriter.failed;
  }

  /** The bytes that are not in the log: dropped, or never stored. */
  get droppedBytes(): number {
    return this.#totals?.droppedBytes ?? this.#openWriter.droppedBytes;
  }

  /** Returns the totals of the output so far. */
  totals(): OutputTotals {
    return this.#totals ?? this.#openWriter.totals();
  }

  /** Returns the end and the totals up to it. */
  summary(): LogSummary {
    return { end: this.end, totals: this.totals() };
  }

  /** Begins reading. `release()` must be called after it, also when it throws. */
  retain(): Promise<void> {
    return this.reader.retain();
  }

  /** Ends reading. */
  release(): Promise<void> {
    return this.reader.release();
  }

  /**
   * Appends a chunk, which is copied. Resolves when all of it fits into a batch, so a caller that waits passes the
   * back-pressure of the disk on to the job.
   *
   * @param ended ends the wait at a `BLOCK` limit when the job has ended
   * @throws {LimitReachedError} when a `STOP` limit is reached, now or at an earlier call
   * @throws the error of an earlier failed write
   */
  append(stream: Stream, chunk: Uint8Array, ended?: AbortSignal): Promise<void> {
    return this.#openWriter.append(stream, chunk, ended);
  }

  /** Resolves when all accepted output is written, or lost. */
  async flushed(): Promise<void> {
    await this.#writer?.flushed();
  }

  /** Completes the log. Readers end when they have read it. */
  async seal(): Promise<void> {
    await this.flushed();
    this.#segments.closeWriter();
    this.#isSealed = true;
    this.#waiters.wakeAll();
  }

  /**
   * Transfers the reserved disk space to the caller, who releases it when the files are deleted.
   *
   * @returns the size of all files in bytes
   */
  transferQuota(): number {
    return this.#segments.transferQuota();
  }

  /** Ends all waits for growth with an error. */
  abandon(error: Error): void {
    this.reader.abandon(error);
    this.#waiters.abandon(error);
  }

  /** Deletes the files. */
  async remove(): Promise<void> {
    await this.reader.open();
    this.reader.markRemoved();
    await this.#segments.remove();
  }

  /**
   * Resolves once the log ends after a position or is sealed; at once when it already does.
   *
   * @throws the signal's reason when it aborts
   * @throws the error of `abandon()`
   */
  waitForGrowth(position: number, signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(signal, this.#range.end.position > position || this.#isSealed);
  }

  get #openWriter(): LogWriter {
    if (this.#writer === undefined) throw new Error("Cannot write to the log: it is complete");
    return this.#writer;
  }
}
