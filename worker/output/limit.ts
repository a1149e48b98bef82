/** Bounds on recorded output: for one job by choice, and for all jobs together by the disk. */
import { InvalidArgumentError } from "../errors.ts";

/**
 * What happens when a job's output reaches its limit.
 *
 * - `STOP`: the job is stopped (reason `OUTPUT_LIMIT`); what it writes beyond is dropped and counted
 * - `KEEP_NEWEST`: the oldest output goes, and readers who come too late are told how much
 * - `BLOCK`: the job's writes wait, for ever if need be
 */
export type OutputPolicy = "STOP" | "KEEP_NEWEST" | "BLOCK";

/** The limit of one job's output. */
export interface OutputLimit {
  readonly maxBytes: number;
  readonly policy: OutputPolicy;
}

/** 2^50 bytes: no disk is larger, and every sum of such numbers is exact. */
const MAX_LIMIT_BYTES = 1_125_899_906_842_624;

/** Beyond this a file is no easier to delete in one piece, and readers jump further than they must. */
const MAX_SEGMENT_BYTES = 67_108_864;

/** @throws {InvalidArgumentError} when the limit is no whole number of bytes from 1 to 2^50 */
export function checkOutputLimit(limit: OutputLimit): void {
  const { maxBytes } = limit;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > MAX_LIMIT_BYTES) {
    throw new InvalidArgumentError(
      `Invalid output limit "${maxBytes}": give whole bytes from 1 to ${MAX_LIMIT_BYTES}`,
    );
  }
}

/** Bytes of output after which a file is finished: a quarter of what is kept goes at a time. */
export function segmentBytes(limit: OutputLimit | undefined): number {
  if (limit?.policy !== "KEEP_NEWEST") return Infinity;
  return Math.min(Math.ceil(limit.maxBytes / 4), MAX_SEGMENT_BYTES);
}

/** The bytes that all jobs may take on the disk together. */
export class OutputBudget {
  readonly maxBytes: number;
  readonly #makeRoom: ((bytes: number) => void) | undefined;
  #usedBytes = 0;

  /**
   * @param maxBytes on the disk; Infinity: no bound
   * @param makeRoom called when bytes do not fit, with how many too many they are; gives back what it can do without
   */
  constructor(maxBytes: number, makeRoom?: (bytes: number) => void) {
    this.maxBytes = maxBytes;
    this.#makeRoom = makeRoom;
  }

  /** What is taken now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes bytes, or none when they do not fit. */
  reserve(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.maxBytes) this.#makeRoom?.(this.#usedBytes + bytes - this.maxBytes);
    if (this.#usedBytes + bytes > this.maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Takes bytes that are on the disk already, fit or not. */
  addExisting(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Gives bytes back. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
  }
}
