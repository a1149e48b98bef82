/** Writes the audit log: entries become lines of a chain, and lines are written in batches. */
import { defined } from "../../base/defined.ts";
import { NotRecordedError } from "../../mod.ts";
import type { Audit, AuditEntry } from "./audit.ts";
import { type ChainEnd, type ChainLine, chainLine } from "./hash_chain.ts";
import { LogFiles, type WriteSome } from "./log_files.ts";

/** Options of {@linkcode AuditLog}. */
export interface AuditLogOptions {
  /** The directory of the audit log. It is made with mode 0700 if it is missing. */
  readonly directory: string;
  /** The size in bytes after which a new file begins. Default 64 MiB. */
  readonly maxFileBytes?: number;
  /** The most files. The audit log names older files and removes them. Default 16. */
  readonly maxFiles?: number;
  /** Receives the duration of each write in milliseconds. */
  readonly onWrite?: (durationMs: number) => void;
  /** Receives the error when entries cannot be written, once until they can be written again. */
  readonly onError?: (error: unknown) => void;
  /** Default: writes to the file. A test has a full disk. */
  readonly write?: WriteSome;
}

const DEFAULT_MAX_FILE_BYTES = 64 * 1024 * 1024;
const DEFAULT_MAX_FILES = 16;

/** The most characters that wait for the disk, ten thousand entries. Further entries are counted and lost. */
const MAX_PENDING_CHARS = 4 * 1024 * 1024;

/** The most entries that wait to become lines. */
const MAX_UNCHAINED = 500;

/** How long an entry that is not urgent waits for others, in milliseconds. A crash loses no more than that. */
const BATCH_MS = 50;
const BATCH_CHARS = 256 * 1024;

const encoder = new TextEncoder();

/** The audit log on the disk. */
export class AuditLog implements Audit, AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #files: LogFiles;
  /** The end of the chain, with the lines that are not written yet. */
  #end: ChainEnd;
  #unchained: { readonly entry: AuditEntry; readonly atMs: number }[] = [];
  #pending: string[] = [];
  #pendingChars = 0;
  #lost = 0;
  readonly #problem: string | undefined;
  #writing: Promise<void> | undefined;
  /** The error of the last write. Undefined when it succeeded. */
  #failure: unknown;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(options: AuditLogOptions, files: LogFiles, end: ChainEnd, problem: string | undefined) {
    this.#options = options;
    this.#files = files;
    this.#end = end;
    this.#problem = problem;
  }

  /**
   * Opens the audit log of a directory, or begins one. The audit log itself says what was wrong with it.
   *
   * @throws {Error} when the directory cannot be used
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const { directory, maxFiles = DEFAULT_MAX_FILES, write } = options;
    const { files, found } = await LogFiles.open({ directory, maxFiles, ...defined({ write }) });
    const log = new AuditLog(options, files, found.end, found.problem);
    await log.#announceOldFiles();
    const { problem, tornBytes } = found;
    if (problem !== undefined) log.record({ event: "server", text: problem });
    if (tornBytes > 0) {
      log.record({ event: "server", text: `Cut off a last line of ${tornBytes} bytes that a crash left incomplete` });
    }
    return log;
  }

  /** A sentence about what was wrong with the audit log when it was opened. Undefined when nothing was. */
  get problem(): string | undefined {
    return this.#problem;
  }

  record(entry: AuditEntry, { soon = true }: { readonly soon?: boolean } = {}): void {
    if (this.#isClosed) return;
    if (this.#pendingChars >= MAX_PENDING_CHARS) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      const text = `Lost ${this.#lost} decisions while the disk could not be written`;
      this.#lost = 0;
      this.#add({ event: "server", text });
    }
    this.#add(entry);
    // Entries that are not urgent are about reading, and short.
    if (soon || this.#unchained.length >= MAX_UNCHAINED) this.#chain();
    if (soon || this.#pendingChars > BATCH_CHARS) void this.#flush();
    else this.#timer ??= setTimeout(() => void this.#flush(), BATCH_MS);
  }

  async ready(): Promise<void> {
    if (this.#failure === undefined) return;
    await this.#flush();
    if (this.#failure !== undefined) throw new NotRecordedError({ cause: this.#failure });
  }

  /** Resolves when every entry so far is written, or cannot be written. */
  async idle(): Promise<void> {
    await this.#flush();
  }

  #add(entry: AuditEntry & Pick<ChainLine, "removed_through">): void {
    this.#unchained.push({ entry, atMs: Date.now() });
  }

  /** Makes lines of the entries. Many at a time take a fraction of the time that each takes between two calls. */
  #chain(): void {
    for (const { entry, atMs } of this.#unchained.splice(0)) {
      const { line, end } = chainLine(this.#end, entry, new Date(atMs));
      this.#end = end;
      this.#pending.push(line);
      this.#pendingChars += line.length;
    }
  }

  /** Writes everything that waits, and what is added meanwhile. Never rejects. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length + this.#unchained.length === 0) return this.#writing ?? Promise.resolve();
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    const { maxFileBytes = DEFAULT_MAX_FILE_BYTES, onError } = this.#options;
    try {
      while (this.#pending.length + this.#unchained.length > 0) {
        if (this.#files.size >= maxFileBytes) {
          await this.#files.rotate();
          await this.#announceOldFiles();
        }
        this.#chain();
        const count = this.#pending.length;
        const end = this.#end;
        const text = `${this.#pending.join("\n")}\n`;
        await this.#write(encoder.encode(text));
        this.#pending.splice(0, count);
        this.#pendingChars -= text.length - count;
        this.#files.writeHead(end);
        await this.#files.removeOld((name, error) => {
          const reason = error instanceof Error ? error.message : error;
          this.#add({ event: "server", text: `Cannot remove "${name}": ${reason}` });
        });
      }
      this.#failure = undefined;
    } catch (error) {
      if (this.#failure === undefined) onError?.(error);
      this.#failure = error;
    } finally {
      // Set at once: an entry that is recorded from here on starts the next write.
      this.#writing = undefined;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) await this.#files.truncate();
    const startMs = performance.now();
    await this.#files.append(bytes);
    this.#options.onWrite?.(performance.now() - startMs);
  }

  async #announceOldFiles(): Promise<void> {
    for (const { name, lastSeq } of await this.#files.findOld()) {
      const text = `Removes "${name}" to make room`;
      this.#add({ event: "server", text, ...defined({ removed_through: lastSeq }) });
    }
  }

  /** Writes the entries that wait, and closes the files. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    await this.#flush();
    this.#isClosed = true;
    await this.#files[Symbol.asyncDispose]();
  }
}
