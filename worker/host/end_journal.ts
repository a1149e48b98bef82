/**
 * The ends of a job host's jobs on its disk, until a supervisor has stored them.
 *
 * An end is reported after write(2), and so survives the end of the host. Against the end of the machine one fdatasync(2)
 * follows soon, for all ends that no supervisor has stored by then. Nobody waits for it, because it takes 1 to 10 ms. The
 * database of a supervisor does not wait for it either.
 */
import { errorCode } from "../../base/error_code.ts";
import { CLOSING_LINE, encodeEnd } from "./end_line.ts";
import { JournalFile } from "./journal_file.ts";
import type { JobChange } from "./link.ts";

/** The wait before a sync, in milliseconds. A supervisor that is there stores most ends sooner. */
const SYNC_MS = 50;

/** The default of `retryMs`. The system does not report that a disk has room again. */
const RETRY_MS = 5_000;

/** The size from which a journal is written again without the ends that are not needed. A line has about 700 bytes. */
const MIN_REWRITTEN_BYTES = 1_048_576;

/** The options of a journal. */
export interface EndJournalOptions {
  /** The file. Its directory exists. The first end creates the file. */
  readonly path: string;
  /** The wait after a failed write, in milliseconds. Default: 5,000. */
  readonly retryMs?: number;
  /** Called when all ends are written and synced. */
  readonly onWritten?: () => void;
  readonly onError: (error: unknown) => void;
}

/** An end that is not in the file. */
interface UnwrittenEnd {
  readonly end: JobChange;
  /** Tells the caller that the end is in the file, or that the disk refuses it now. */
  readonly settle: () => void;
}

/** Writes the journal of one job host. */
export class EndJournal {
  readonly #options: EndJournalOptions;
  readonly #file: JournalFile;
  /** The ends that no supervisor has stored, in the file or not. */
  readonly #needed = new Map<string, JobChange>();
  /** The sizes of the lines in the file that are needed. */
  readonly #bytesOf = new Map<string, number>();
  #neededBytes = 0;
  #unwritten: UnwrittenEnd[] = [];
  /** The ids of the lines that the end of the machine could delete. */
  #unsynced = new Set<string>();
  #rewriteFromBytes = MIN_REWRITTEN_BYTES;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #syncTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  /** True when the last write failed because the directory is gone. Nobody could read the ends there. */
  #isGone = false;

  constructor(options: EndJournalOptions) {
    this.#options = options;
    this.#file = new JournalFile(options.path);
  }

  /** True when each end that is needed is written and synced, or its directory is gone. */
  get isWritten(): boolean {
    return (this.#unwritten.length === 0 || this.#isGone) && this.#writing === undefined && this.#unsynced.size === 0 &&
      this.#syncing === undefined;
  }

  /**
   * Writes an end. Resolves when it is in the file. When the disk refuses it, resolves then and tries again later. Has no
   * effect after `close()`: a file that is opened again is empty.
   */
  write(end: JobChange): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#needed.set(end.id, end);
    this.#unwritten.push({ end, settle: resolve });
    // After a failure the next try is due later. The caller need not wait for it.
    if (this.#retryTimer === undefined) this.#writing ??= this.#writeAll();
    else resolve();
    return promise;
  }

  /** Drops an end that a supervisor has stored. */
  forget(id: string): void {
    if (!this.#needed.delete(id)) return;
    this.#unwritten = this.#unwritten.filter(({ end, settle }) => {
      if (end.id === id) settle();
      return end.id !== id;
    });
    this.#neededBytes -= this.#bytesOf.get(id) ?? 0;
    this.#bytesOf.delete(id);
    this.#unsynced.delete(id);
  }

  /**
   * Closes the file. Ends that could not be written get a last try.
   *
   * @param isComplete true when no further end is possible. The last line says so if all ends are in the file
   */
  async close(isComplete = false): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#writing ??= this.#writeAll();
    await this.#writing;
    do {
      this.#syncing ??= this.#sync();
      await this.#syncing;
      clearTimeout(this.#syncTimer);
    } while (this.#unsynced.size > 0);
    clearTimeout(this.#retryTimer);
    if (isComplete && this.#unwritten.length === 0 && this.isWritten && this.#file.size > 0) {
      await this.#writeClosingLine();
    }
    await this.#file.close();
  }

  /** No sync follows: after a restart of the machine nobody trusts this line. */
  async #writeClosingLine(): Promise<void> {
    try {
      await this.#file.append([CLOSING_LINE]);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** Writes batch after batch. The next batch gathers while one is written. */
  async #writeAll(): Promise<void> {
    // Ends of the same turn of the event loop go into one batch.
    await Promise.resolve();
    while (this.#unwritten.length > 0 && this.#retryTimer === undefined) {
      const batch = this.#unwritten;
      this.#unwritten = [];
      try {
        await this.#append(batch.map(({ end }) => end));
        this.#isGone = false;
      } catch (error) {
        this.#isGone = errorCode(error) === "ENOENT";
        this.#options.onError(error);
        this.#unwritten = [...batch.filter(({ end }) => this.#needed.has(end.id)), ...this.#unwritten];
        this.#retryLater();
      }
      for (const { settle } of batch) settle();
      if (this.#file.size >= this.#rewriteFromBytes && this.#neededBytes * 2 <= this.#file.size) await this.#rewrite();
    }
    this.#writing = undefined;
    for (const { settle } of this.#unwritten) settle();
    this.#noteWritten();
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#writing ??= this.#writeAll();
    }, this.#options.retryMs ?? RETRY_MS);
  }

  async #append(ends: readonly JobChange[]): Promise<void> {
    const lines = ends.map(encodeEnd);
    await this.#file.append(lines);
    ends.forEach(({ id }, index) => this.#noteLine(id, lines[index]?.length ?? 0));
    this.#syncSoon();
  }

  #noteLine(id: string, bytes: number): void {
    if (!this.#needed.has(id)) return;
    this.#neededBytes += bytes - (this.#bytesOf.get(id) ?? 0);
    this.#bytesOf.set(id, bytes);
    this.#unsynced.add(id);
  }

  #syncSoon(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = undefined;
      this.#syncing ??= this.#sync();
    }, SYNC_MS);
  }

  async #sync(): Promise<void> {
    await Promise.resolve(); // `#syncing` is set before this ends.
    const ids = this.#unsynced;
    this.#unsynced = new Set();
    try {
      if (ids.size > 0) await this.#file.sync();
    } catch (error) {
      this.#options.onError(error);
      // The system may have dropped these lines. They are written again.
      const lost = [...ids].flatMap((id) => this.#needed.get(id) ?? []);
      this.#unwritten.push(...lost.map((end) => ({ end, settle: () => {} })));
      this.#retryLater();
    }
    this.#syncing = undefined;
    if (this.#unsynced.size > 0) this.#syncSoon();
    this.#noteWritten();
  }

  /** Replaces the file by one that has only the ends that are needed. */
  async #rewrite(): Promise<void> {
    const needed = [...this.#needed.values()];
    const lines = needed.map(encodeEnd);
    try {
      await this.#file.replace(lines);
    } catch (error) {
      // The file can still grow. A full disk may have room for the next end and not for all of them.
      this.#options.onError(error);
      this.#rewriteFromBytes = 2 * this.#file.size;
      return;
    }
    this.#rewriteFromBytes = MIN_REWRITTEN_BYTES;
    this.#neededBytes = 0;
    this.#bytesOf.clear();
    needed.forEach(({ id }, index) => this.#noteLine(id, lines[index]?.length ?? 0));
    this.#syncSoon();
  }

  #noteWritten(): void {
    if (this.isWritten) this.#options.onWritten?.();
  }
}
