/** The files of one output log as one range of positions: written at the end, read anywhere, dropped from the start. */
import { join } from "node:path";
import { LimitReachedError } from "../errors.ts";
import { LOG_START, type LogPosition } from "./cursor.ts";
import type { OutputBudget } from "./limit.ts";
import {
  FILE_HEADER_BYTES,
  findFrame,
  FRAME_HEADER_BYTES,
  jobChecksum,
  type LogIdentity,
  newLogIdentity,
  type StreamOffsets,
} from "./frame.ts";
import { Segment } from "./segment.ts";

/** Read at a time when records are looked for behind a damaged one. */
const SCANNED_BYTES = 262_144;

/** The files of one log, in a directory of their own that is made with the first byte. */
export class SegmentSet {
  readonly #directory: string;
  /** Undefined once somebody else answers for what is there. */
  #budget: OutputBudget | undefined;
  #segments: Segment[] = [];
  #salt: LogIdentity = newLogIdentity();
  readonly #job: number;

  /** @param id the job's, which each file names */
  constructor(id: string, directory: string, budget: OutputBudget | undefined) {
    this.#job = jobChecksum(id);
    this.#directory = directory;
    this.#budget = budget;
  }

  /**
   * Takes the files that are there. A file that a crash left without a whole header is deleted.
   *
   * @throws {Error} when one is damaged or another job's; it stays as it is
   */
  async open(): Promise<void> {
    for (const path of await this.#paths()) {
      const segment = await Segment.open(path, this.#job);
      if (segment === undefined) await Deno.remove(path);
      else this.#segments.push(segment);
    }
    const [first] = this.#segments;
    if (first !== undefined) this.#salt = first.header.identity;
  }

  /**
   * Returns what the files take on the disk. From now on the caller answers for it in the budget, also when they are
   * deleted.
   */
  transferQuota(): number {
    this.#budget = undefined;
    return this.#segments.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  }

  /** The files that are there, oldest first. */
  async #paths(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { name } of Deno.readDir(this.#directory)) if (/^[0-9]{16}\.log$/.test(name)) names.push(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return names.sort().map((name) => join(this.#directory, name));
  }

  get identity(): LogIdentity {
    return this.#salt;
  }

  /** The files, oldest first. */
  get all(): readonly Segment[] {
    return this.#segments;
  }

  /** The first place that can be read. */
  get start(): LogPosition {
    const [first] = this.#segments;
    return first === undefined ? LOG_START : { position: first.start, offsets: first.header.offsets };
  }

  /** Bytes of records in the newest file. */
  get newestBytes(): number {
    const newest = this.#segments.at(-1);
    return newest === undefined ? 0 : newest.end - newest.start;
  }

  /**
   * Appends to the newest file, or to a fresh one.
   *
   * @param offsets of the streams before the bytes
   * @throws {LimitReachedError} when the budget has no room
   */
  async append(bytes: Uint8Array, offsets: StreamOffsets, fresh: boolean): Promise<void> {
    let newest = this.#segments.at(-1);
    const isFresh = fresh || newest === undefined;
    const diskBytes = bytes.length + (isFresh ? FILE_HEADER_BYTES : 0);
    if (this.#budget?.reserve(diskBytes) === false) {
      throw new LimitReachedError(
        `The server keeps at most "${this.#budget.maxBytes}" bytes of output: remove jobs that have ended`,
      );
    }
    let given = diskBytes;
    try {
      if (newest === undefined || fresh) {
        newest?.finish();
        newest = await this.#create(newest?.end ?? 0, offsets);
        given = bytes.length;
      }
      await newest.append(bytes);
    } catch (error) {
      this.#budget?.release(given);
      throw error;
    }
  }

  async #create(base: number, offsets: StreamOffsets): Promise<Segment> {
    if (this.#segments.length === 0) await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = join(this.#directory, `${String(base).padStart(16, "0")}.log`);
    const segment = await Segment.create(path, { identity: this.#salt, base, offsets, job: this.#job });
    this.#segments.push(segment);
    return segment;
  }

  /** Deletes the oldest file. Readers find that the log starts later now. */
  async dropOldest(): Promise<void> {
    const oldest = this.#segments.shift();
    if (oldest === undefined) return;
    this.#budget?.release(oldest.diskBytes);
    await oldest.remove();
  }

  /** Whether the header of a record is behind a position at which no whole record begins. */
  async hasFrameAfter(position: number): Promise<boolean> {
    const overlap = FRAME_HEADER_BYTES - 1;
    for (const segment of this.#segments) {
      for (let from = Math.max(segment.start, position + 1); from < segment.end; from += SCANNED_BYTES - overlap) {
        if (findFrame(await segment.read(from, SCANNED_BYTES), 0, this.#salt) !== undefined) return true;
      }
    }
    return false;
  }

  /** Cuts everything behind a position: files that begin there or later are deleted, but for the first. */
  async cut(position: number): Promise<void> {
    let newest = this.#segments.at(-1);
    while (newest !== undefined && this.#segments.length > 1 && newest.start >= position) {
      this.#segments.pop();
      this.#budget?.release(newest.diskBytes);
      await newest.remove();
      newest = this.#segments.at(-1);
    }
    if (newest === undefined || newest.end === position) return;
    this.#budget?.release(newest.end - position);
    await newest.cut(position);
  }

  /** Reads from a position; undefined when its file was deleted. */
  async read(position: number, maxBytes: number): Promise<Uint8Array | undefined> {
    const segment = this.#segments.findLast(({ start: base }) => base <= position);
    if (segment === undefined) return undefined;
    try {
      return await segment.read(position, maxBytes);
    } catch (error) {
      if (!this.#segments.includes(segment)) return undefined;
      throw error;
    }
  }

  /** Closes what is open for writing. */
  finish(): void {
    this.#segments.at(-1)?.finish();
  }

  /** Closes what is open for reading, until the next read. */
  async closeReaders(): Promise<void> {
    await Promise.all(this.#segments.map((segment) => segment.closeReader()));
  }

  /** Deletes everything. */
  async remove(): Promise<void> {
    while (this.#segments.length > 0) await this.dropOldest();
    try {
      await Deno.remove(this.#directory, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // Made with the first byte only.
    }
  }
}
