/** The log of a job as readers see it, whether this process writes it or another one. */
import type { LogPosition } from "./cursor.ts";
import type { LogReader } from "./reader.ts";
import type { OutputTotals } from "./totals.ts";

/** The end of a log, and the totals up to it. */
export interface LogSummary {
  readonly end: LogPosition;
  readonly totals: OutputTotals;
}

/** A log that any number of readers read. */
export interface ReadableLog {
  /** The reading side. */
  readonly reader: LogReader;
  /** The first position that can be read. */
  readonly start: LogPosition;
  /** The position after the last byte that can be read. */
  readonly end: LogPosition;
  /** False when the writer may be further than `end`. A reader knows the end after `retain()`. */
  readonly isCurrent: boolean;
  /** True once the log is complete. */
  readonly isSealed: boolean;
  /** The bytes that are not in the log: dropped, or never stored. */
  readonly droppedBytes: number;

  /** Returns the totals of the output so far. */
  totals(): OutputTotals;
  /** Returns an end and the totals up to exactly this end. */
  summary(): LogSummary;
  /**
   * Begins reading. `release()` must be called after it, also when it throws.
   *
   * @throws {OutputUnavailableError} when the files are missing or damaged
   */
  retain(signal: AbortSignal): Promise<void>;
  /** Ends reading. */
  release(): Promise<void>;
  /**
   * Resolves once the log ends after a position or is sealed; at once when it already does.
   *
   * @throws the signal's reason when it aborts
   * @throws the error of `abandon()`
   */
  waitForGrowth(position: number, signal: AbortSignal): Promise<void>;
  /** Wakes the readers that wait, because no growth can be known now. Absent when it always can. */
  wakeReaders?(): void;
  /** Ends all waits for growth with an error. */
  abandon(error: Error): void;
  /** Deletes the files, or leaves that to the process that wrote them. Readers get the error of `abandon()`. */
  remove(): Promise<void>;
}
