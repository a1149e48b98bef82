/** Copies the files of a log that another machine writes. The size of the newest file says how much has arrived. */
import { join } from "node:path";
import { type FileModes, OWNER_MODES } from "../../base/file_modes.ts";
import { LimitReachedError } from "../errors.ts";
import type { LogPosition, LogRange } from "./cursor.ts";
import { jobChecksum } from "./file_header.ts";
import { decodeFrame, findFrame, FRAME_OVERHEAD_BYTES, MAX_PAYLOAD_BYTES, offsetsAfter } from "./frame.ts";
import type { OutputQuota } from "./limit.ts";
import { Segment } from "./segment.ts";
import { fileName, fileNames } from "./segment_set.ts";

/** The bytes at the end of a file that have the last whole frame. */
const TAIL_BYTES = 2 * (MAX_PAYLOAD_BYTES + FRAME_OVERHEAD_BYTES);

/** A place in the files of a log: the start of a file, and the bytes of the file before the place. */
export interface ReplicaPlace {
  readonly file: number;
  readonly offset: number;
}

/** The disk space of all copies. */
export interface ReplicaQuota extends OutputQuota {
  /** Adds bytes that are already on the disk, even above the limit. */
  addExisting(bytes: number): void;
}

/** Options of a copy. */
export interface LogReplicaOptions {
  readonly directory: string;
  readonly budget: ReplicaQuota;
  /** The modes of its files. Default: for the owner alone. */
  readonly modes?: FileModes;
}

/** The copy of one log. It has one writer. */
export class LogReplica {
  readonly #options: LogReplicaOptions;
  #place: ReplicaPlace | undefined;
  #file: Deno.FsFile | undefined;
  /** The bytes that the budget counts. */
  #bytes = 0;

  private constructor(options: LogReplicaOptions) {
    this.#options = options;
  }

  /** Opens the copy of a log, which may have no file yet. */
  static async open(options: LogReplicaOptions): Promise<LogReplica> {
    const replica = new LogReplica(options);
    for (const name of await fileNames(options.directory)) {
      const { size: offset } = await Deno.stat(join(options.directory, name));
      replica.#place = { file: Number.parseInt(name), offset };
      replica.#bytes += offset;
    }
    options.budget.addExisting(replica.#bytes);
    return replica;
  }

  /** The end of what has arrived. Undefined when nothing has. */
  get place(): ReplicaPlace | undefined {
    return this.#place;
  }

  /** Returns true for bytes that continue the copy, which may begin a new file. */
  follows({ file, offset }: ReplicaPlace): boolean {
    const { file: newest = -1, offset: end = 0 } = this.#place ?? {};
    return file === newest ? offset === end : file > newest && offset === 0;
  }

  /**
   * Appends bytes. When it fails, the copy is as before.
   *
   * @throws {LimitReachedError} when the disk space of all jobs is used up
   * @throws {Error} when the bytes do not follow what has arrived, or the system cannot store them
   */
  async append(place: ReplicaPlace, data: Uint8Array): Promise<void> {
    if (data.length === 0) return;
    const { budget } = this.#options;
    if (!this.follows(place)) throw new Error(`Cannot store output: ${place.file}+${place.offset} does not follow`);
    if (!await budget.reserve(data.length)) {
      throw new LimitReachedError(`Cannot store output: all jobs together may use ${budget.maxBytes} bytes`);
    }
    try {
      await this.#write(await this.#openFile(place), place, data);
    } catch (error) {
      budget.release(data.length);
      throw error;
    }
    this.#bytes += data.length;
    this.#place = { file: place.file, offset: place.offset + data.length };
  }

  async #write(file: Deno.FsFile, { offset }: ReplicaPlace, data: Uint8Array): Promise<void> {
    let written = 0;
    try {
      while (written < data.length) written += await file.write(data.subarray(written));
    } catch (error) {
      await file.truncate(offset);
      throw error;
    }
  }

  async #openFile({ file }: ReplicaPlace): Promise<Deno.FsFile> {
    const { directory, modes = OWNER_MODES } = this.#options;
    if (this.#file !== undefined && file === this.#place?.file) return this.#file;
    this.close();
    await Deno.mkdir(directory, { recursive: true, mode: modes.directory });
    const path = join(directory, fileName(file));
    return this.#file = await Deno.open(path, { append: true, create: true, mode: modes.file });
  }

  /** Deletes the files that end at a position or before it. */
  async dropBefore(position: number): Promise<void> {
    const { directory, budget } = this.#options;
    const starts = (await fileNames(directory)).map((name) => Number.parseInt(name));
    for (const [index, start] of starts.entries()) {
      const next = starts[index + 1];
      if (next === undefined || next > position) return;
      const path = join(directory, fileName(start));
      const { size } = await Deno.stat(path);
      await Deno.remove(path);
      this.#bytes -= size;
      budget.release(size);
    }
  }

  /** Returns the part that can be read: up to the last whole frame. Undefined when there is none. */
  async readable(id: string): Promise<LogRange | undefined> {
    const { directory } = this.#options;
    const names = await fileNames(directory);
    if (names.length === 0) return undefined;
    const open = (name = "") => Segment.open(join(directory, name), jobChecksum(id));
    const [oldest, newest] = [await open(names[0]), await open(names.at(-1))];
    if (oldest === undefined || newest === undefined) return undefined;
    try {
      const start = { position: oldest.start, offsets: oldest.header.offsets };
      return { start, end: await lastFrame(newest) };
    } finally {
      await newest.closeReader();
    }
  }

  /** Closes the file. A later `append` opens it again. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Returns the disk space to the budget, because the caller counts the files from now on. */
  release(): void {
    this.#options.budget.release(this.#bytes);
    this.#bytes = 0;
  }
}

/** Returns the position after the last whole frame of a file. */
async function lastFrame(segment: Segment): Promise<LogPosition> {
  const { identity, offsets } = segment.header;
  const from = Math.max(segment.start, segment.end - TAIL_BYTES);
  const bytes = await segment.read(from, TAIL_BYTES);
  let end: LogPosition = { position: segment.start, offsets };
  for (let at = findFrame(bytes, 0, identity)?.at; at !== undefined;) {
    const frame = decodeFrame(bytes, at, identity);
    if (frame === undefined || frame === "damaged") break;
    end = { position: from + frame.end, offsets: offsetsAfter(frame) };
    at = frame.end;
  }
  return end;
}
