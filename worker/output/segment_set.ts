/** The files of one log as one range of positions: written at the end, read anywhere, dropped at the start. */
import { removeDirectory } from "../remove_directory.ts";
import { statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type FileModes, OWNER_MODES } from "../../base/file_modes.ts";
import { LimitReachedError } from "../errors.ts";
import { LOG_START, type LogPosition } from "./cursor.ts";
import type { OutputQuota } from "./limit.ts";
import { FILE_HEADER_BYTES, jobChecksum } from "./file_header.ts";
import { findFrame, FRAME_HEADER_BYTES, type StreamOffsets } from "./frame.ts";
import { type LogIdentity, newLogIdentity } from "./log_identity.ts";
import { Segment } from "./segment.ts";

/** The bytes of one read of the search for frames after a damaged one. */
const SEARCH_BYTES = 262_144;

/** Returns the name of the file that starts at a position. */
export function fileName(start: number): string {
  return `${String(start).padStart(16, "0")}.log`;
}

/** Returns the names of the files in a directory, the oldest first. Empty when there is no directory yet. */
export async function fileNames(directory: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) if (/^[0-9]{16}\.log$/.test(name)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** The files of one log, in a directory of their own. The first write creates the directory. */
export class SegmentSet {
  readonly #directory: string;
  readonly #job: number;
  readonly #modes: FileModes;
  /** Undefined once the caller accounts for the files. */
  #budget: OutputQuota | undefined;
  #segments: Segment[] = [];
  #identity: LogIdentity = newLogIdentity();

  /**
   * @param id the id of the job, which each file names
   * @param budget the disk space to reserve from
   */
  constructor(id: string, directory: string, budget: OutputQuota | undefined, modes: FileModes = OWNER_MODES) {
    this.#modes = modes;
    this.#job = jobChecksum(id);
    this.#directory = directory;
    this.#budget = budget;
  }

  /**
   * Opens the existing files. Deletes a file that a crash left without a whole header.
   *
   * @throws {Error} when a file is damaged or belongs to another job; the file is not changed
   */
  async open(): Promise<void> {
    for (const name of await fileNames(this.#directory)) {
      const path = join(this.#directory, name);
      const segment = await Segment.open(path, this.#job);
      if (segment === undefined) await Deno.remove(path);
      else this.#segments.push(segment);
    }
    const [first] = this.#segments;
    if (first !== undefined) this.#identity = first.header.identity;
  }

  /**
   * Transfers the reserved disk space to the caller, who releases it when the files are deleted.
   *
   * @returns the size of all files in bytes
   */
  transferQuota(): number {
    this.#budget = undefined;
    return this.#segments.reduce((sum, { diskBytes }) => sum + diskBytes, 0);
  }

  /** The identity of the log. */
  get identity(): LogIdentity {
    return this.#identity;
  }

  /** The files, the oldest first. */
  get all(): readonly Segment[] {
    return this.#segments;
  }

  /** The first position that can be read. */
  get start(): LogPosition {
    const [first] = this.#segments;
    return first === undefined ? LOG_START : { position: first.start, offsets: first.header.offsets };
  }

  /** The bytes of frames in the newest file. */
  get newestBytes(): number {
    const newest = this.#segments.at(-1);
    return newest === undefined ? 0 : newest.end - newest.start;
  }

  /**
   * Appends bytes to the newest file, or to a new one.
   *
   * @param offsets the offsets of the streams before the bytes
   * @param inNewFile true to begin a new file
   * @throws {LimitReachedError} when the disk space of all jobs is used up
   */
  async append(bytes: Uint8Array, offsets: StreamOffsets, inNewFile: boolean): Promise<void> {
    let newest = this.#segments.at(-1);
    const createsFile = inNewFile || newest === undefined;
    const diskBytes = bytes.length + (createsFile ? FILE_HEADER_BYTES : 0);
    const fits = this.#budget?.reserve(diskBytes) ?? true;
    // Most reservations are answered at once, and an await would cost a turn.
    if (fits === false || (fits !== true && !await fits)) {
      this.#assertDiskHas(diskBytes);
      throw new LimitReachedError(
        `Cannot store output: all jobs together may use ${this.#budget?.maxBytes} bytes; remove jobs that have ended`,
      );
    }
    let unusedBytes = diskBytes;
    try {
      if (newest === undefined || inNewFile) {
        newest?.closeWriter();
        newest = await this.#create(newest?.end ?? 0, offsets);
        unusedBytes = bytes.length;
      }
      await newest.append(bytes);
    } catch (error) {
      this.#budget?.release(unusedBytes);
      throw error;
    }
  }

  /**
   * Checks that the limit is the reason of a refusal, and not the disk. A limit that is a share of the disk is small while
   * the disk is full.
   *
   * @throws the error of the system for a full disk
   */
  #assertDiskHas(bytes: number): void {
    const { bavail, bsize } = statfsSync(dirname(this.#directory));
    if (bavail * bsize < bytes) throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  }

  async #create(start: number, offsets: StreamOffsets): Promise<Segment> {
    if (this.#segments.length === 0) {
      await Deno.mkdir(this.#directory, { recursive: true, mode: this.#modes.directory });
    }
    const path = join(this.#directory, fileName(start));
    const header = { identity: this.#identity, start, offsets, job: this.#job };
    const segment = await Segment.create(path, header, this.#modes.file);
    this.#segments.push(segment);
    return segment;
  }

  /** Deletes the oldest file. `start` moves at once, before the promise resolves. */
  async dropOldest(): Promise<void> {
    const oldest = this.#segments.shift();
    if (oldest === undefined) return;
    this.#budget?.release(oldest.diskBytes);
    await oldest.remove();
  }

  /** Returns true when a frame header begins after a position at which no whole frame begins. */
  async hasFrameAfter(position: number): Promise<boolean> {
    const overlap = FRAME_HEADER_BYTES - 1;
    for (const segment of this.#segments) {
      for (let from = Math.max(segment.start, position + 1); from < segment.end; from += SEARCH_BYTES - overlap) {
        if (findFrame(await segment.read(from, SEARCH_BYTES), 0, this.#identity) !== undefined) return true;
      }
    }
    return false;
  }

  /** Deletes all bytes after a position: truncates one file and deletes later files. Keeps the first file. */
  async truncate(position: number): Promise<void> {
    let newest = this.#segments.at(-1);
    while (newest !== undefined && this.#segments.length > 1 && newest.start >= position) {
      this.#segments.pop();
      this.#budget?.release(newest.diskBytes);
      await newest.remove();
      newest = this.#segments.at(-1);
    }
    if (newest === undefined || newest.end === position) return;
    this.#budget?.release(newest.end - position);
    await newest.truncate(position);
  }

  /** Reads from a position, within one file. Undefined when the file was deleted. */
  async read(position: number, maxBytes: number, memory?: Uint8Array): Promise<Uint8Array | undefined> {
    const segment = this.#segments.findLast(({ start }) => start <= position);
    if (segment === undefined) return undefined;
    try {
      return await segment.read(position, maxBytes, memory);
    } catch (error) {
      if (!this.#segments.includes(segment)) return undefined;
      throw error;
    }
  }

  /** Closes the newest file for writing. */
  closeWriter(): void {
    this.#segments.at(-1)?.closeWriter();
  }

  /** Closes all files for reading. A later read opens its file again. */
  async closeReaders(): Promise<void> {
    await Promise.all(this.#segments.map((segment) => segment.closeReader()));
  }

  /** Deletes all files and the directory. */
  async remove(): Promise<void> {
    while (this.#segments.length > 0) await this.dropOldest();
    await removeDirectory(this.#directory); // A log without output has none.
  }
}
