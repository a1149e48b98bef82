/** A file of lines that only grows, or is replaced as a whole. A failed write leaves no torn line before later ones. */
import { dirname } from "node:path";
import { joinBytes } from "../../base/join_bytes.ts";

/** The file of a journal. The first line creates it. */
export class JournalFile {
  readonly #path: string;
  #file: Deno.FsFile | undefined;
  #size = 0;
  /** True when bytes of a failed write may follow the last whole line. */
  #isTorn = false;
  /** The sync that runs now. */
  #syncing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** The bytes of all whole lines. */
  get size(): number {
    return this.#size;
  }

  /** Appends lines. They survive the end of this process once this resolves. */
  async append(lines: readonly Uint8Array[]): Promise<void> {
    this.#file ??= await openEmpty(this.#path);
    if (this.#isTorn) await this.#file.truncate(this.#size);
    this.#isTorn = true;
    this.#size += await write(this.#file, lines);
    this.#isTorn = false;
  }

  /** Makes the lines survive the end of the machine. */
  async sync(): Promise<void> {
    if (this.#file === undefined) return;
    const syncing = this.#file.syncData();
    this.#syncing = syncing.catch(() => {}); // The caller gets the error.
    await syncing;
  }

  /** Replaces all lines. After a failure the file is as before. The lines survive the end of the machine. */
  async replace(lines: readonly Uint8Array[]): Promise<void> {
    const path = `${this.#path}.new`;
    const file = await openEmpty(path);
    let size: number;
    try {
      size = await write(file, lines);
      await file.syncData();
      await Deno.rename(path, this.#path);
    } catch (error) {
      file.close();
      await Deno.remove(path); // It may have taken the last room on the disk.
      throw error;
    }
    await this.close();
    this.#file = file;
    this.#size = size;
    this.#isTorn = false;
    await syncDirectory(this.#path);
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#syncing;
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Opens an empty file, to which each write appends. */
async function openEmpty(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { append: true, create: true, mode: 0o600 });
  try {
    await file.truncate();
    await syncDirectory(path);
  } catch (error) {
    file.close();
    throw error;
  }
  return file;
}

/** Writes the entry of a file to the disk. */
async function syncDirectory(path: string): Promise<void> {
  using directory = await Deno.open(dirname(path));
  await directory.sync();
}

/** Writes lines. Returns their size in bytes. */
async function write(file: Deno.FsFile, lines: readonly Uint8Array[]): Promise<number> {
  const bytes = joinBytes(lines);
  for (let from = 0; from < bytes.length;) from += await file.write(bytes.subarray(from));
  return bytes.length;
}
