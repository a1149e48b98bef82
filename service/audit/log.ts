/** Writes the audit record: in batches, one file after another, each line chained to the one before. */
import { NotRecordedError } from "../../mod.ts";
import type { Audit, AuditEntry } from "./audit.ts";
import { type ChainEnd, chainLine, readLine } from "./chain.ts";
import { auditFileName, auditFileNumbers, HEAD_NAME, headText, readHeadOf } from "./files.ts";
import { cutTornLine, endOfRecord, lastLine } from "./tail.ts";
import { defined } from "../../base/defined.ts";

/** Where the record is and how much of it is kept. */
export interface AuditLogOptions {
  /** Made, with mode 0700, if it is not there. */
  readonly directory: string;
  /** A file that has reached this is followed by a new one. Default 64 MiB. */
  readonly maxFileBytes?: number;
  /** With more files than this the oldest go, which the record then says. Default 16. */
  readonly maxFiles?: number;
  /** Called after each write with its duration in milliseconds. */
  readonly onWrite?: (durationMs: number) => void;
  /** Told when decisions cannot be written down, once a time. */
  readonly onError?: (error: unknown) => void;
  /** Writes some of the bytes and resolves to how many. Default: to the file; a test has a disk that is full. */
  readonly write?: (file: Deno.FsFile, bytes: Uint8Array) => Promise<number>;
}

const DEFAULT_MAX_FILE_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_FILES = 16;

/** What waits for the disk, at most: ten thousand decisions. Beyond it they are counted and lost, which the record says. */
const MAX_PENDING_CHARS = 4 * 1024 * 1024;

/** So many that are not urgent wait to become lines. */
const MAX_UNCHAINED = 500;

/** What is not urgent waits so long for more to be written with it: a crash loses no more than that. */
const BATCH_MS = 50;
const BATCH_CHARS = 256 * 1024;

/** Nobody but the server's user reads who does what, and nobody writes. */
const FILE_MODE = 0o600;

const encoder = new TextEncoder();

/** The audit record on the disk. */
export class AuditLog implements Audit, AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #numbers: number[];
  /** Of the files, those that are removed once the record says so. */
  #going: number[] = [];
  #file: Deno.FsFile;
  #size: number;
  readonly #head: Deno.FsFile;
  /** Of the last line that was made, written or not. */
  #end: ChainEnd;
  #unchained: { readonly entry: AuditEntry; readonly atMs: number }[] = [];
  #pending: string[] = [];
  #pendingChars = 0;
  #lost = 0;
  #found: string | undefined;
  #writing: Promise<void> | undefined;
  #broken: unknown;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    options: AuditLogOptions,
    numbers: number[],
    file: { readonly file: Deno.FsFile; readonly size: number; readonly end: ChainEnd },
    head: Deno.FsFile,
  ) {
    this.#options = options;
    this.#numbers = numbers;
    this.#file = file.file;
    this.#size = file.size;
    this.#end = file.end;
    this.#head = head;
  }

  /**
   * Goes on with the record in a directory, or begins one. A last line that a crash has torn is cut off, which the
   * record then says.
   *
   * @throws {Error} when the directory cannot be used
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const { directory } = options;
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    const numbers = await auditFileNumbers(directory);
    const last = await endOfRecord(directory, numbers);
    const named = await readHeadOf(directory);
    // Chained to what was there, not to what is left: or whoever cuts lines off only needs to wait for a restart.
    const isCut = named !== undefined && (named.seq > last.seq || named.seq === last.seq && named.hash !== last.hash);
    const end = isCut ? named : last;
    if (numbers.length === 0) numbers.push(1);
    const path = `${directory}/${auditFileName(numbers.at(-1)!)}`;
    const { torn, size } = await cutTornLine(path);
    const file = await openToAppend(path);
    const head = await Deno.open(`${directory}/${HEAD_NAME}`, { write: true, create: true, mode: FILE_MODE });
    const log = new AuditLog(options, numbers, { file, size, end }, head);
    await log.#announceGoing();
    if (isCut) {
      log.#found = `The record does not end with the line number ${named.seq} that "${HEAD_NAME}" names: ` +
        "lines were cut off or changed while no server ran, or lost in a power failure";
    } else if (named === undefined && last.seq > 0) {
      log.#found = `"${HEAD_NAME}" was missing or damaged: lines may have been cut off the end while no server ran`;
    }
    // Before there is a line that it does not know of.
    if (named === undefined) log.#writeHead(end);
    if (log.#found !== undefined) log.record({ event: "server", text: log.#found });
    if (torn > 0) log.record({ event: "server", text: `Cut off a last line of ${torn} bytes, torn by a crash` });
    return log;
  }

  /** What was wrong with the record when it was opened, a sentence. */
  get found(): string | undefined {
    return this.#found;
  }

  record(entry: AuditEntry, { soon = true }: { readonly soon?: boolean } = {}): void {
    if (this.#closed) return;
    if (this.#pendingChars >= MAX_PENDING_CHARS) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      const text = `Lost ${this.#lost} decisions while the disk could not be written`;
      this.#lost = 0;
      this.#append({ event: "server", text });
    }
    this.#append(entry);
    // What is not urgent is about reading, and short.
    if (soon || this.#unchained.length >= MAX_UNCHAINED) this.#chain();
    if (soon || this.#pendingChars > BATCH_CHARS) void this.#flush();
    else this.#timer ??= setTimeout(() => void this.#flush(), BATCH_MS);
  }

  async ready(): Promise<void> {
    if (this.#broken === undefined) return;
    await this.#flush();
    if (this.#broken !== undefined) throw new NotRecordedError({ cause: this.#broken });
  }

  /** Resolves when all that was recorded so far is written, or cannot be. */
  async idle(): Promise<void> {
    await this.#flush();
  }

  #append(entry: AuditEntry & { readonly removed_through?: number }): void {
    this.#unchained.push({ entry, atMs: Date.now() });
  }

  /** Makes lines of what waits. Many in a row take a fraction of what each takes between two calls. */
  #chain(): void {
    for (const { entry, atMs } of this.#unchained.splice(0)) {
      const { line, end } = chainLine(this.#end, entry, new Date(atMs));
      this.#end = end;
      this.#pending.push(line);
      this.#pendingChars += line.length;
    }
  }

  /** Writes all that waits; what comes meanwhile too. Never rejects. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length + this.#unchained.length === 0) return Promise.resolve();
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#pending.length + this.#unchained.length > 0) {
        if (this.#size >= (this.#options.maxFileBytes ?? DEFAULT_MAX_FILE_BYTES)) await this.#rotate();
        this.#chain();
        const count = this.#pending.length;
        const end = this.#end;
        const text = `${this.#pending.join("\n")}\n`;
        await this.#write(encoder.encode(text));
        this.#pending.splice(0, count);
        this.#pendingChars -= text.length - count;
        this.#writeHead(end);
        await this.#removeGoing();
      }
      this.#broken = undefined;
    } catch (error) {
      if (this.#broken === undefined) this.#options.onError?.(error);
      this.#broken = error;
    } finally {
      // Not a moment later: what is recorded from here on starts the next one.
      this.#writing = undefined;
    }
  }

  /** All or nothing: half a line would be a broken chain. */
  async #write(bytes: Uint8Array): Promise<void> {
    // Of the last attempt, which failed.
    if (this.#broken !== undefined) await this.#file.truncate(this.#size);
    const { write = (file, some) => file.write(some), onWrite } = this.#options;
    const startMs = performance.now();
    let rest = bytes;
    while (rest.length > 0) rest = rest.subarray(await write(this.#file, rest));
    this.#size += bytes.length;
    onWrite?.(performance.now() - startMs);
  }

  #writeHead(end: ChainEnd): void {
    const bytes = encoder.encode(headText(end));
    this.#head.seekSync(0, Deno.SeekMode.Start);
    this.#head.writeSync(bytes);
  }

  async #rotate(): Promise<void> {
    const { directory } = this.#options;
    const next = this.#numbers.at(-1)! + 1;
    const file = await openToAppend(`${directory}/${auditFileName(next)}`);
    await this.#file.sync();
    this.#file.close();
    this.#file = file;
    this.#size = 0;
    this.#numbers.push(next);
    await this.#announceGoing();
  }

  /** Says which files are too many, before they go: a crash in between must not leave a record that lacks lines. */
  async #announceGoing(): Promise<void> {
    const { directory, maxFiles = DEFAULT_MAX_FILES } = this.#options;
    const going = this.#numbers.slice(0, Math.max(0, this.#numbers.length - maxFiles));
    const lasts = await Promise.all(going.map((number) => lastLine(`${directory}/${auditFileName(number)}`)));
    for (const [index, number] of going.entries()) {
      const last = lasts[index];
      const through = last === undefined ? undefined : readLine(last)?.seq;
      this.#append({
        event: "server",
        text: `Removes "${auditFileName(number)}" to make room`,
        ...defined({ removed_through: through }),
      });
    }
    this.#going = going;
  }

  /** Removes the files of which the record says so. One that cannot be is tried again with the next. */
  async #removeGoing(): Promise<void> {
    for (const number of this.#going.splice(0)) {
      const name = auditFileName(number);
      try {
        await Deno.remove(`${this.#options.directory}/${name}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) {
          this.#append({
            event: "server",
            text: `Cannot remove "${name}": ${error instanceof Error ? error.message : error}`,
          });
          continue;
        }
      }
      this.#numbers.splice(this.#numbers.indexOf(number), 1);
    }
  }

  /** Writes what waits, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    await this.#flush();
    this.#closed = true;
    // What could not be written was told; half a line of it must not stay.
    await this.#file.truncate(this.#size).catch(() => {});
    await this.#file.sync().catch(() => {});
    this.#file.close();
    this.#head.close();
  }
}

function openToAppend(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { append: true, create: true, mode: FILE_MODE });
}
