/** One file of an output log: appended to by one writer, read at any place by any number of readers. */
import { close, fstat, open, read, type Stats } from "node:fs";
import { promisify } from "node:util";
import { FILE_HEADER_BYTES } from "./output_record.ts";

const openAsync = promisify(open);
const closeAsync = promisify(close);
const fstatAsync: (fd: number) => Promise<Stats> = promisify(fstat);

/** Output may hold secrets: only the server's user reads it. */
const FILE_MODE = 0o600;

/** The writing end. What `append` did not finish is cut off again, so the file always ends between two records. */
export class OutputFileWriter implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  #length: number;

  private constructor(file: Deno.FsFile, length: number) {
    this.#file = file;
    this.#length = length;
  }

  /** Makes the file, which must not exist, and writes its header. */
  static async create(path: string, header: Uint8Array): Promise<OutputFileWriter> {
    const file = await Deno.open(path, { createNew: true, append: true, mode: FILE_MODE });
    const writer = new OutputFileWriter(file, 0);
    try {
      await writer.append(header);
    } catch (error) {
      file.close();
      await Deno.remove(path).catch(() => {}); // The first error is the one to tell.
      throw error;
    }
    return writer;
  }

  /** Appends all bytes, or none. */
  async append(bytes: Uint8Array): Promise<void> {
    let written = 0;
    try {
      while (written < bytes.length) written += await this.#file.write(bytes.subarray(written));
    } catch (error) {
      if (written > 0) await this.#file.truncate(this.#length);
      throw error;
    }
    this.#length += bytes.length;
  }

  /** Closes the file. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#file.close();
    return Promise.resolve();
  }
}

/** The reading end: reads at places, so that many readers share one descriptor. */
export class OutputFileReader implements AsyncDisposable {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static async open(path: string): Promise<OutputFileReader> {
    return new OutputFileReader(await openAsync(path, "r"));
  }

  /** Reads the file's header. */
  async header(): Promise<Uint8Array> {
    return await this.#readAt(0, FILE_HEADER_BYTES);
  }

  /** Reads up to `maxBytes` from `offset` behind the header; fewer only at the end of the file. */
  async read(offset: number, maxBytes: number): Promise<Uint8Array> {
    return await this.#readAt(FILE_HEADER_BYTES + offset, maxBytes);
  }

  /** Bytes behind the header. */
  async length(): Promise<number> {
    return Math.max(0, (await fstatAsync(this.#fd)).size - FILE_HEADER_BYTES);
  }

  async #readAt(at: number, maxBytes: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(maxBytes);
    let filled = 0;
    while (filled < maxBytes) {
      const count = await new Promise<number>((resolve, reject) => {
        read(
          this.#fd,
          buffer,
          filled,
          maxBytes - filled,
          at + filled,
          (error, n) => error ? reject(error) : resolve(n),
        );
      });
      if (count === 0) break;
      filled += count;
    }
    return buffer.subarray(0, filled);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAsync(this.#fd);
  }
}
