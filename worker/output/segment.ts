/**
 * One file of an output log: appended to by one writer, read at any place by any number of readers, deleted under
 * them when it is too old. Positions are those of the whole log.
 */
import { close, open, readSync } from "node:fs";
import { promisify } from "node:util";
import { decodeFileHeader, encodeFileHeader, FILE_HEADER_BYTES, type FileHeader } from "./frame.ts";

const openAsync = promisify(open);
const closeAsync = promisify(close);

/** Output may hold secrets: only the server's user reads it. */
const FILE_MODE = 0o600;

/** One file of an output log. */
export class Segment {
  readonly path: string;
  readonly header: FileHeader;
  /** Bytes of records in it. */
  #length: number;
  #writer: Deno.FsFile | undefined;
  #fd: Promise<number> | undefined;
  #reads = 0;
  #closing = false;

  private constructor(path: string, header: FileHeader, length: number, writer?: Deno.FsFile) {
    this.path = path;
    this.header = header;
    this.#length = length;
    this.#writer = writer;
  }

  /** Makes the file, which must not exist, and writes its header. */
  static async create(path: string, header: FileHeader): Promise<Segment> {
    const file = await Deno.open(path, { createNew: true, append: true, mode: FILE_MODE });
    const segment = new Segment(path, header, -FILE_HEADER_BYTES, file);
    try {
      await segment.append(encodeFileHeader(header));
    } catch (error) {
      file.close();
      await Deno.remove(path).catch(() => {}); // The first error is the one to tell.
      throw error;
    }
    return segment;
  }

  /**
   * Takes a file that is there, for reading; undefined when a crash left it without a whole header, and so without output.
   *
   * @param job as `jobChecksum` gives it
   * @throws {Error} when the file has output and its header is damaged, or names another job
   */
  static async open(path: string, job: number): Promise<Segment | undefined> {
    const { size } = await Deno.stat(path);
    const fd = await openAsync(path, "r");
    try {
      const header = decodeFileHeader(readAt(fd, 0, FILE_HEADER_BYTES));
      if (header === undefined && size <= FILE_HEADER_BYTES) return undefined;
      if (header === undefined) throw new Error(`The header of "${path}" is damaged`);
      if (header.job !== 0 && header.job !== job) throw new Error(`"${path}" is the output of another job`);
      return new Segment(path, header, size - FILE_HEADER_BYTES);
    } finally {
      await closeAsync(fd);
    }
  }

  /** The position at which its first record begins. */
  get start(): number {
    return this.header.base;
  }

  /** The position behind its last byte. */
  get end(): number {
    return this.header.base + this.#length;
  }

  /** What it takes on the disk. */
  get diskBytes(): number {
    return FILE_HEADER_BYTES + this.#length;
  }

  /** Appends all bytes, or none: what was not finished is cut off, so the file ends between two records. */
  async append(bytes: Uint8Array): Promise<void> {
    const file = this.#writer;
    if (file === undefined) throw new Error(`Cannot append to "${this.path}": it is finished`);
    let written = 0;
    try {
      while (written < bytes.length) written += await file.write(bytes.subarray(written));
    } catch (error) {
      if (written > 0) await file.truncate(FILE_HEADER_BYTES + this.#length);
      throw error;
    }
    this.#length += bytes.length;
  }

  /** Nothing more will be appended. */
  finish(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }

  /** Cuts the file at a position. */
  async cut(position: number): Promise<void> {
    await Deno.truncate(this.path, FILE_HEADER_BYTES + position - this.start);
    this.#length = position - this.start;
  }

  /** Reads from a position within it, up to its end or `maxBytes`. Readers share one descriptor. */
  async read(position: number, maxBytes: number): Promise<Uint8Array> {
    this.#reads += 1;
    try {
      this.#closing = false;
      this.#fd ??= openAsync(this.path, "r");
      const bytes = Math.min(maxBytes, this.end - position);
      return readAt(await this.#fd, FILE_HEADER_BYTES + position - this.start, bytes);
    } finally {
      this.#reads -= 1;
      if (this.#closing) await this.closeReader();
    }
  }

  /** Closes the descriptor for reading, once nobody is reading; the next read opens it again. */
  async closeReader(): Promise<void> {
    this.#closing = true;
    if (this.#reads > 0) return;
    const fd = this.#fd;
    this.#fd = undefined;
    const opened = await fd?.catch(() => undefined); // What did not open needs no closing.
    if (opened !== undefined) await closeAsync(opened);
  }

  /** Deletes the file. */
  async remove(): Promise<void> {
    this.finish();
    await Deno.remove(this.path);
    await this.closeReader();
  }
}

// Not asynchronous: Deno's read() of node:fs holds up this thread as well, and measured for longer.
function readAt(fd: number, at: number, maxBytes: number): Uint8Array {
  const buffer = new Uint8Array(maxBytes);
  let filled = 0;
  while (filled < maxBytes) {
    const count = readSync(fd, buffer, filled, maxBytes - filled, at + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}
