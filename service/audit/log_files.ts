/** The files of an audit log that is written: the newest file, the head, and the removal of the oldest files. */
import { type ChainEnd, readLine } from "./hash_chain.ts";
import { auditFileName, auditFileNumbers, HEAD_NAME, headText, readHead } from "./file_names.ts";
import { cutTornLine, endOfLog, lastLine } from "./tail.ts";

/** Writes some of the bytes to a file and resolves to their number. */
export type WriteSome = (file: Deno.FsFile, bytes: Uint8Array) => Promise<number>;

/** Options of {@linkcode LogFiles}. */
export interface LogFilesOptions {
  /** The directory of the audit log. It is made with mode 0700 if it is missing. */
  readonly directory: string;
  /** The most files. Older files are removed. */
  readonly maxFiles: number;
  /** Default: writes to the file. A test has a full disk. */
  readonly write?: WriteSome | undefined;
}

/** The audit log of an earlier server. */
export interface FoundLog {
  /** The end of the chain that the next line continues. */
  readonly end: ChainEnd;
  /** A sentence about what is wrong with the audit log. Absent when nothing is. */
  readonly problem: string | undefined;
  /** The number of bytes of an incomplete last line, which was cut off. */
  readonly tornBytes: number;
}

/** A file that is about to be removed. */
export interface OldFile {
  readonly name: string;
  /** The number of its last line. Absent when it has none. */
  readonly lastSeq: number | undefined;
}

/** Only the server's user may read who does what. */
const FILE_MODE = 0o600;

const encoder = new TextEncoder();

/** The open files of an audit log. */
export class LogFiles implements AsyncDisposable {
  readonly #options: LogFilesOptions;
  /** The numbers of all files, in order. */
  readonly #numbers: number[];
  /** The numbers of the files that are removed once the audit log says so. */
  #leaving: number[] = [];
  #file: Deno.FsFile;
  #size: number;
  readonly #head: Deno.FsFile;

  private constructor(
    options: LogFilesOptions,
    numbers: number[],
    file: { readonly file: Deno.FsFile; readonly size: number },
    head: Deno.FsFile,
  ) {
    this.#options = options;
    this.#numbers = numbers;
    this.#file = file.file;
    this.#size = file.size;
    this.#head = head;
  }

  /**
   * Opens the files of an audit log, or begins one. An incomplete last line is cut off.
   *
   * @throws {Error} when the directory cannot be used
   */
  static async open(
    options: LogFilesOptions,
  ): Promise<{ readonly files: LogFiles; readonly found: FoundLog }> {
    const { directory } = options;
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    const numbers = await auditFileNumbers(directory);
    const last = await endOfLog(directory, numbers);
    const named = await readHead(directory);
    // The chain continues the line that the head names. Otherwise a restart would hide lines that were cut off.
    const isCut = named !== undefined && (named.seq > last.seq || named.seq === last.seq && named.hash !== last.hash);
    const end = isCut ? named : last;
    if (numbers.length === 0) numbers.push(1);
    const path = `${directory}/${auditFileName(numbers.at(-1)!)}`;
    const { tornBytes, size } = await cutTornLine(path);
    const file = await openToAppend(path);
    const head = await Deno.open(`${directory}/${HEAD_NAME}`, { write: true, create: true, mode: FILE_MODE });
    const files = new LogFiles(options, numbers, { file, size }, head);
    // The head must exist before the first line that it does not name.
    if (named === undefined) files.writeHead(end);
    const problem = isCut
      ? `The audit log does not end with line ${named.seq} of "${HEAD_NAME}": ` +
        "lines were removed or changed without a server, or lost in a power failure"
      : named === undefined && last.seq > 0
      ? `"${HEAD_NAME}" was missing or damaged: lines may have been cut off the end while no server ran`
      : undefined;
    return { files, found: { end, problem, tornBytes } };
  }

  /** The size of the newest file in bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * Appends bytes to the newest file. After a failure, {@linkcode truncate} must come first.
   *
   * @throws {Error} when not all of them can be written
   */
  async append(bytes: Uint8Array): Promise<void> {
    const { write = (file, some) => file.write(some) } = this.#options;
    let rest = bytes;
    while (rest.length > 0) rest = rest.subarray(await write(this.#file, rest));
    this.#size += bytes.length;
  }

  /** Removes the incomplete line that a failed {@linkcode append} has left. It would break the chain. */
  async truncate(): Promise<void> {
    await this.#file.truncate(this.#size);
  }

  /** Writes which line is the last one. */
  writeHead(end: ChainEnd): void {
    this.#head.seekSync(0, Deno.SeekMode.Start);
    this.#head.writeSync(encoder.encode(headText(end)));
  }

  /** Begins a new file. */
  async rotate(): Promise<void> {
    const next = this.#numbers.at(-1)! + 1;
    const file = await openToAppend(`${this.#options.directory}/${auditFileName(next)}`);
    await this.#file.sync();
    this.#file.close();
    this.#file = file;
    this.#size = 0;
    this.#numbers.push(next);
  }

  /**
   * Returns the files beyond the maximum. The audit log must name them before {@linkcode removeOld} removes them. A crash
   * in between then leaves no gap without an explanation.
   */
  async findOld(): Promise<OldFile[]> {
    const { directory, maxFiles } = this.#options;
    this.#leaving = this.#numbers.slice(0, Math.max(0, this.#numbers.length - maxFiles));
    return await Promise.all(this.#leaving.map(async (number) => {
      const name = auditFileName(number);
      const line = await lastLine(`${directory}/${name}`);
      return { name, lastSeq: line === undefined ? undefined : readLine(line)?.seq };
    }));
  }

  /**
   * Removes the files of the last {@linkcode findOld}. A file that cannot be removed is found again by the next one.
   *
   * @param onError called with the name of a file that cannot be removed
   */
  async removeOld(onError: (name: string, error: unknown) => void): Promise<void> {
    for (const number of this.#leaving.splice(0)) {
      const name = auditFileName(number);
      try {
        await Deno.remove(`${this.#options.directory}/${name}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) {
          onError(name, error);
          continue;
        }
      }
      this.#numbers.splice(this.#numbers.indexOf(number), 1);
    }
  }

  /** Closes the files. An incomplete line is removed if the disk allows it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.truncate(this.#size).catch(() => {});
    await this.#file.sync().catch(() => {});
    this.#file.close();
    this.#head.close();
  }
}

function openToAppend(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { append: true, create: true, mode: FILE_MODE });
}
