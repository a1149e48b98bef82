/** Limits of stored output: of one job, and of all jobs together. */
import { InvalidArgumentError } from "../errors.ts";

/**
 * The action when a job's output reaches its limit.
 *
 * - `STOP`: the server stops the job (reason `OUTPUT_LIMIT`), and drops and counts further output
 * - `KEEP_NEWEST`: the server drops the oldest output, and readers learn how much they missed
 * - `BLOCK`: the job's writes wait until the job ends
 */
export type OutputPolicy = "STOP" | "KEEP_NEWEST" | "BLOCK";

/** The limit of one job's output. */
export interface OutputLimit {
  readonly maxBytes: number;
  readonly policy: OutputPolicy;
}

/** 2^50 bytes: more than any disk has, and small enough that sums stay exact. */
const MAX_LIMIT_BYTES = 1_125_899_906_842_624;

/** The largest file. Larger files are not faster to delete, and make readers skip more than they must. */
const MAX_SEGMENT_BYTES = 67_108_864;

/** @throws {InvalidArgumentError} when the limit is not an integer from 1 to 2^50 bytes */
export function checkOutputLimit(limit: OutputLimit): void {
  const { maxBytes } = limit;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > MAX_LIMIT_BYTES) {
    throw new InvalidArgumentError(`The output limit must be an integer from 1 to ${MAX_LIMIT_BYTES}, got ${maxBytes}`);
  }
}

/** Returns the size in bytes at which a file is complete. With `KEEP_NEWEST`, a quarter of the limit is dropped at once. */
export function segmentBytes(limit: OutputLimit | undefined): number {
  if (limit?.policy !== "KEEP_NEWEST") return Infinity;
  return Math.min(Math.ceil(limit.maxBytes / 4), MAX_SEGMENT_BYTES);
}

/** Disk space that the output of several jobs shares. */
export interface OutputQuota {
  /** The disk space in bytes; Infinity for no limit. */
  readonly maxBytes: number;
  /** Reserves bytes. The result is false, and nothing is reserved, when they do not fit. */
  reserve(bytes: number): boolean | Promise<boolean>;
  /** Releases reserved bytes. */
  release(bytes: number): void;
}

/** The disk space that all jobs share. */
export class OutputBudget implements OutputQuota {
  readonly #makeRoom: ((bytes: number) => void) | undefined;
  readonly #measure: ((usedBytes: number) => number) | undefined;
  #maxBytes: number;
  #usedBytes = 0;

  /**
   * @param maxBytes the disk space in bytes; Infinity for no limit
   * @param makeRoom called with the number of missing bytes; releases what it can
   * @param measure returns the disk space now, given the reserved bytes. Absent: it does not change
   */
  constructor(maxBytes: number, makeRoom?: (bytes: number) => void, measure?: (usedBytes: number) => number) {
    this.#maxBytes = maxBytes;
    this.#makeRoom = makeRoom;
    this.#measure = measure;
  }

  /** The disk space in bytes; Infinity for no limit. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Measures the disk space again, and raises the limit. The disk may have been full when the limit was measured. */
  raise(): void {
    if (this.#measure !== undefined) this.#maxBytes = Math.max(this.#maxBytes, this.#measure(this.#usedBytes));
  }

  /** The reserved bytes. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Reserves bytes. Returns false, and reserves nothing, when they do not fit. */
  reserve(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.maxBytes) this.raise();
    if (this.#usedBytes + bytes > this.maxBytes) this.#makeRoom?.(this.#usedBytes + bytes - this.maxBytes);
    if (this.#usedBytes + bytes > this.maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Adds bytes that are already on the disk, even above the limit. */
  addExisting(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Releases reserved bytes. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
