/**
 * A log that another process writes: its readers read the files up to the end that the writer reports. The files of a
 * log may not exist before its first byte.
 */
import type { LogPosition, LogRange } from "./cursor.ts";
import { LOG_START } from "./cursor.ts";
import { MirrorFiles } from "./mirror_files.ts";
import type { LogSummary, ReadableLog } from "./readable_log.ts";
import { LogReader } from "./reader.ts";
import type { OutputTotals } from "./totals.ts";
import { GrowthWaiters } from "./waiters.ts";

/** The part of a log that can be read, and the totals up to its end. */
export interface MirrorState extends LogSummary {
  readonly start: LogPosition;
}

/** The writer of a mirrored log, which reports growth only while somebody reads. */
export interface MirrorSource {
  /** Begins the reports and returns the state now. Undefined when the writer has sealed the log. */
  watch(): Promise<MirrorState | undefined>;
  /** Ends the reports. */
  unwatch(): void;
  /** Returns why no report can arrive now. Undefined while reports arrive; absent when they always do. */
  outage?(): Error | undefined;
}

/** The totals of no output, with unknown digests. */
export const NO_TOTALS: OutputTotals = {
  stdoutBytes: 0,
  stderrBytes: 0,
  droppedBytes: 0,
  stdoutSha256: new Uint8Array(),
  stderrSha256: new Uint8Array(),
};

/** A log that another process writes. */
export class MirrorLog implements ReadableLog {
  readonly id: string;
  readonly reader: LogReader;
  readonly #source: MirrorSource;
  readonly #files: MirrorFiles;
  readonly #range: LogRange = { start: LOG_START, end: LOG_START };
  /** The question to the writer that is not answered. */
  #asked: Promise<MirrorState | undefined> | undefined;
  /** The question after it. */
  #next: Promise<MirrorState | undefined> | undefined;
  readonly #waiters = new GrowthWaiters();
  #summary: LogSummary = { end: LOG_START, totals: NO_TOTALS };
  #isSealed = false;

  /**
   * @param directory the directory of its files
   * @param isSegmented true when the log may have several files
   */
  constructor(
    id: string,
    { directory, isSegmented }: { readonly directory: string; readonly isSegmented: boolean },
    source: MirrorSource,
  ) {
    this.id = id;
    this.#source = source;
    this.#files = new MirrorFiles(id, directory, this.#range, isSegmented);
    this.reader = new LogReader(id, this.#files, this.#range, () => this.#files.open());
  }

  get start(): LogPosition {
    return this.#range.start;
  }

  get end(): LogPosition {
    return this.#range.end;
  }

  get isCurrent(): boolean {
    return this.#isSealed;
  }

  get isSealed(): boolean {
    return this.#isSealed;
  }

  get droppedBytes(): number {
    const { stdout, stderr } = this.#range.start.offsets;
    return Math.max(this.#summary.totals.droppedBytes, stdout + stderr);
  }

  /** Returns the totals. The digests are empty when the log has grown since they were reported. */
  totals(): OutputTotals {
    const { end, totals } = this.#summary;
    if (end.position === this.end.position) return totals;
    const { stdout, stderr } = this.end.offsets;
    return { ...NO_TOTALS, stdoutBytes: stdout, stderrBytes: stderr, droppedBytes: this.droppedBytes };
  }

  summary(): LogSummary {
    return this.#summary;
  }

  /** Begins reading, and learns the end from the writer. */
  async retain(signal: AbortSignal): Promise<void> {
    await this.reader.retain();
    while (!this.#isSealed) {
      const state = await this.#watch();
      if (state !== undefined) {
        this.update(state);
        break;
      }
      await this.waitForGrowth(Infinity, signal); // The report that the log is complete is on its way.
    }
    await this.reader.open();
  }

  /** Asks the writer for its state. Readers that come while it answers share the next question, so none gets an old end. */
  #watch(): Promise<MirrorState | undefined> {
    const ask = () => this.#asked = this.#source.watch().finally(() => this.#asked = undefined);
    if (this.#asked === undefined) return ask();
    return this.#next ??= this.#asked.catch(() => {}).then(() => {
      this.#next = undefined;
      return ask();
    });
  }

  async release(): Promise<void> {
    await this.reader.release();
    if (this.reader.count === 0 && !this.#isSealed) this.#source.unwatch();
  }

  /** Moves the end, and the start. Positions before the present ones are ignored. */
  advance({ start, end }: Pick<MirrorState, "start" | "end">): void {
    if (this.#isSealed) return;
    if (start.position > this.#range.start.position) this.#range.start = start;
    if (end.position <= this.#range.end.position) return;
    this.#range.end = end;
    this.#waiters.wakeAll();
  }

  /** Takes a state that the writer reports. */
  update(state: MirrorState): void {
    if (this.#isSealed || state.end.position < this.#summary.end.position) return;
    this.#summary = state;
    this.advance(state);
  }

  /** Completes the log. Readers end when they have read it. */
  seal({ end, totals }: LogSummary): void {
    if (this.#isSealed) return;
    this.#summary = { end, totals };
    this.#range.end = end;
    this.#isSealed = true;
    this.#waiters.wakeAll();
  }

  /** Begins the reports again, after the link to the writer was lost. */
  async rewatch(): Promise<void> {
    if (this.#isSealed || this.reader.count === 0) return;
    const state = await this.#watch();
    if (state !== undefined) this.update(state);
  }

  abandon(error: Error): void {
    this.reader.abandon(error);
    this.#waiters.abandon(error);
  }

  /** Ends the readers. The process that wrote the files deletes them. */
  async remove(): Promise<void> {
    this.reader.markRemoved();
    await this.#files.forget();
  }

  waitForGrowth(position: number, signal: AbortSignal): Promise<void> {
    const hasGrown = this.#range.end.position > position || this.#isSealed;
    const outage = hasGrown ? undefined : this.#source.outage?.();
    return outage === undefined ? this.#waiters.wait(signal, hasGrown) : Promise.reject(outage);
  }

  wakeReaders(): void {
    this.#waiters.wakeAll();
  }
}
