/** Copies the files of a log that another machine writes. The size of the newest file says how much has arrived. */
import { join } from "node:path";
import { type FileModes, OWNER_MODES } from "../../base/file_modes.ts";
import { fileName, fileNames } from "./segment_set.ts";

/** A place in the files of a log: the start of a file, and the bytes of the file before the place. */
export interface ReplicaPlace {
  readonly file: number;
  readonly offset: number;
}

/** The copy of one log. It has one writer. */
export class LogReplica {
  readonly #directory: string;
  readonly #modes: FileModes;
  #place: ReplicaPlace | undefined;
  #file: Deno.FsFile | undefined;

  private constructor(directory: string, modes: FileModes, place: ReplicaPlace | undefined) {
    this.#directory = directory;
    this.#modes = modes;
    this.#place = place;
  }

  /** Opens the copy of a log, which may have no file yet. */
  static async open(directory: string, modes: FileModes = OWNER_MODES): Promise<LogReplica> {
    const newest = (await fileNames(directory)).at(-1);
    if (newest === undefined) return new LogReplica(directory, modes, undefined);
    const { size: offset } = await Deno.stat(join(directory, newest));
    return new LogReplica(directory, modes, { file: Number.parseInt(newest), offset });
  }

  /** The end of what has arrived. Undefined when nothing has. */
  get place(): ReplicaPlace | undefined {
    return this.#place;
  }

  /**
   * Appends bytes. When it fails, the copy is as before.
   *
   * @throws {Error} when the bytes do not follow what has arrived
   */
  async append({ file, offset }: ReplicaPlace, data: Uint8Array): Promise<void> {
    if (data.length === 0) return;
    const open = await this.#openFile(file, offset);
    let written = 0;
    try {
      while (written < data.length) written += await open.write(data.subarray(written));
    } catch (error) {
      await open.truncate(offset);
      throw error;
    }
    this.#place = { file, offset: offset + data.length };
  }

  async #openFile(file: number, offset: number): Promise<Deno.FsFile> {
    const { file: newest = -1, offset: end = 0 } = this.#place ?? {};
    const isNext = file === newest ? offset === end : file > newest && offset === 0;
    if (!isNext) throw new Error(`Cannot store output: ${file}+${offset} does not follow ${newest}+${end}`);
    if (file === newest && this.#file !== undefined) return this.#file;
    this.close();
    if (file > newest) await Deno.mkdir(this.#directory, { recursive: true, mode: this.#modes.directory });
    const path = join(this.#directory, fileName(file));
    return this.#file = await Deno.open(path, { append: true, create: true, mode: this.#modes.file });
  }

  /** Deletes the files that end at a position or before it. */
  async dropBefore(position: number): Promise<void> {
    const starts = (await fileNames(this.#directory)).map((name) => Number.parseInt(name));
    for (const [index, start] of starts.entries()) {
      const next = starts[index + 1];
      if (next === undefined || next > position) return;
      await Deno.remove(join(this.#directory, fileName(start)));
    }
  }

  /** Closes the file. */
  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}
