/** One file of a log. One writer appends, any number of readers read, and a file can be deleted while it is read. */
import { close, readSync } from "node:fs";
import { promisify } from "node:util";
import { openPlainFile } from "../../base/plain_file.ts";
import { decodeFileHeader, encodeFileHeader, FILE_HEADER_BYTES, type FileHeader } from "./file_header.ts";

const closeAsync = promisify(close);

/** One file of a log. All positions are positions in the log. */
export class Segment {
  readonly path: string;
  readonly header: FileHeader;
  /** The bytes of its frames. */
  #length: number;
  #writer: Deno.FsFile | undefined;
  /** The descriptor that all readers share. */
  #fd: Promise<number> | undefined;
  #activeReads = 0;
  #closing = false;

  private constructor(path: string, header: FileHeader, length: number, writer?: Deno.FsFile) {
    this.path = path;
    this.header = header;
    this.#length = length;
    this.#writer = writer;
  }

  /** Creates the file and writes its header. The file must not exist. */
  static async create(path: string, header: FileHeader, mode: number): Promise<Segment> {
    const file = await Deno.open(path, { createNew: true, append: true, mode });
    const segment = new Segment(path, header, -FILE_HEADER_BYTES, file);
    try {
      await segment.append(encodeFileHeader(header));
    } catch (error) {
      file.close();
      await Deno.remove(path).catch(() => {}); // The caller gets the first error.
      throw error;
    }
    return segment;
  }

  /**
   * Opens an existing file for reading.
   *
   * @param job the checksum of the job's id
   * @returns undefined when a crash left the file without a whole header, and therefore without output
   * @throws {Error} when the file has output and its header is damaged, or names another job
   */
  static async open(path: string, job: number): Promise<Segment | undefined> {
    const { size } = await Deno.stat(path);
    const fd = openPlainFile(path); // A job host of another user may have made it.
    try {
      const header = decodeFileHeader(readAt(fd, 0, FILE_HEADER_BYTES));
      if (header === undefined && size <= FILE_HEADER_BYTES) return undefined;
      if (header === undefined) throw new Error(`Cannot open "${path}": its header is damaged`);
      if (header.job !== 0 && header.job !== job) throw new Error(`Cannot open "${path}": it belongs to another job`);
      return new Segment(path, header, size - FILE_HEADER_BYTES);
    } finally {
      await closeAsync(fd);
    }
  }

  /** The position of its first frame. */
  get start(): number {
    return this.header.start;
  }

  /** The position after its last byte. */
  get end(): number {
    return this.header.start + this.#length;
  }

  /** The size of the file in bytes. */
  get diskBytes(): number {
    return FILE_HEADER_BYTES + this.#length;
  }

  /** Appends all bytes, or none. A partial write is cut off, so the file always ends between two frames. */
  async append(bytes: Uint8Array): Promise<void> {
    const file = this.#writer;
    if (file === undefined) throw new Error(`Cannot append to "${this.path}": it is closed for writing`);
    let written = 0;
    try {
      while (written < bytes.length) written += await file.write(bytes.subarray(written));
    } catch (error) {
      if (written > 0) await file.truncate(FILE_HEADER_BYTES + this.#length);
      throw error;
    }
    this.#length += bytes.length;
  }

  /** Sets the end of a file that another process writes. The file may end earlier. */
  grow(end: number): void {
    this.#length = end - this.start;
  }

  /** Closes the file for writing. */
  closeWriter(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }

  /** Truncates the file at a position. */
  async truncate(position: number): Promise<void> {
    await Deno.truncate(this.path, FILE_HEADER_BYTES + position - this.start);
    this.#length = position - this.start;
  }

  /**
   * Reads from a position inside the file, up to its end or `maxBytes`.
   *
   * @param memory the place of the bytes; absent: new memory
   */
  async read(position: number, maxBytes: number, memory?: Uint8Array): Promise<Uint8Array> {
    this.#activeReads += 1;
    try {
      this.#closing = false;
      this.#fd ??= Promise.try(openPlainFile, this.path);
      const bytes = Math.min(maxBytes, this.end - position);
      return readAt(await this.#fd, FILE_HEADER_BYTES + position - this.start, bytes, memory);
    } finally {
      this.#activeReads -= 1;
      if (this.#closing) await this.closeReader();
    }
  }

  /** Closes the file for reading after the active reads. A later read opens it again. */
  async closeReader(): Promise<void> {
    this.#closing = true;
    if (this.#activeReads > 0) return;
    const fd = this.#fd;
    this.#fd = undefined;
    const opened = await fd?.catch(() => undefined); // A failed open leaves nothing to close.
    if (opened !== undefined) await closeAsync(opened);
  }

  /** Deletes the file. */
  async remove(): Promise<void> {
    this.closeWriter();
    await Deno.remove(this.path);
    await this.closeReader();
  }
}

// Synchronous, because read() of node:fs blocks this thread too in Deno, and longer in a measurement.
function readAt(fd: number, at: number, maxBytes: number, memory?: Uint8Array): Uint8Array {
  const buffer = memory ?? new Uint8Array(maxBytes);
  let filled = 0;
  while (filled < maxBytes) {
    const count = readSync(fd, buffer, filled, maxBytes - filled, at + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}
