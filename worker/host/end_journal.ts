/**
 * The ends of a job host's jobs on its disk, until a supervisor has stored them. They survive the host.
 *
 * The file is append-only. One fdatasync(2) covers all ends that arrived during the one before.
 */
import { dirname } from "node:path";
import { joinBytes } from "../../base/join_bytes.ts";
import { encodeEnd } from "./end_line.ts";
import type { JobChange } from "./link.ts";

/** The default of `retryMs`. The system does not report that a disk has room again. */
const RETRY_MS = 5_000;

/** The size from which a journal is written again without the ends that are not needed. A line has about 700 bytes. */
const MIN_REWRITTEN_BYTES = 1_048_576;

/** An end that is not on the disk yet. */
interface UnwrittenEnd {
  readonly end: JobChange;
  /** Tells the caller that the end is on the disk, or that the disk refuses it now. */
  readonly settle: () => void;
}

/** The options of a journal. */
export interface EndJournalOptions {
  /** The file. Its directory exists. The first end creates the file. */
  readonly path: string;
  /** The wait after a failed write, in milliseconds. Default: 5,000. */
  readonly retryMs?: number;
  /** Called when all ends are on the disk. */
  readonly onWritten?: () => void;
  readonly onError: (error: unknown) => void;
}

/** Writes the journal of one job host. */
export class EndJournal {
  readonly #options: EndJournalOptions;
  /** The ends that no supervisor has stored, written or not. */
  readonly #needed = new Map<string, JobChange>();
  #unwritten: UnwrittenEnd[] = [];
  #file: Deno.FsFile | undefined;
  /** The bytes of all whole lines. */
  #size = 0;
  /** The bytes of lines that are not needed any more. */
  #staleBytes = 0;
  readonly #bytesOf = new Map<string, number>();
  /** True when bytes of a failed write may follow the last whole line. */
  #isTorn = false;
  #rewriteFromBytes = MIN_REWRITTEN_BYTES;
  #writing: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: EndJournalOptions) {
    this.#options = options;
  }

  /** True when each end that is needed is on the disk. */
  get isWritten(): boolean {
    return this.#unwritten.length === 0 && this.#writing === undefined;
  }

  /** Writes an end. Resolves when it is on the disk. When the disk refuses it, resolves then and tries again later. */
  write(end: JobChange): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#needed.set(end.id, end);
    this.#unwritten.push({ end, settle: resolve });
    // After a failure the next try is due later. The caller need not wait for it.
    if (this.#retry === undefined) this.#writing ??= this.#writeAll();
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
    this.#staleBytes += this.#bytesOf.get(id) ?? 0;
    this.#bytesOf.delete(id);
  }

  /** Closes the file. Ends that could not be written get a last try. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#writing ??= this.#writeAll();
    await this.#writing;
    clearTimeout(this.#retry);
    this.#file?.close();
    this.#file = undefined;
  }

  /** Writes batch after batch. The next batch gathers while one is written. */
  async #writeAll(): Promise<void> {
    // Ends of the same turn of the event loop go into one batch.
    await Promise.resolve();
    while (this.#unwritten.length > 0 && this.#retry === undefined) {
      const batch = this.#unwritten;
      this.#unwritten = [];
      try {
        await this.#append(batch);
      } catch (error) {
        this.#options.onError(error);
        this.#unwritten = [...batch.filter(({ end }) => this.#needed.has(end.id)), ...this.#unwritten];
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#writing ??= this.#writeAll();
        }, this.#options.retryMs ?? RETRY_MS);
      }
      for (const { settle } of batch) settle();
      if (this.#size >= this.#rewriteFromBytes && this.#staleBytes * 2 >= this.#size) await this.#tryToRewrite();
    }
    this.#writing = undefined;
    for (const { settle } of this.#unwritten) settle();
    if (this.#unwritten.length === 0) this.#options.onWritten?.();
  }

  async #append(batch: readonly UnwrittenEnd[]): Promise<void> {
    this.#file ??= await openJournal(this.#options.path);
    if (this.#isTorn) await this.#file.truncate(this.#size);
    this.#isTorn = true;
    const lines = batch.map(({ end }) => encodeEnd(end));
    await writeLines(this.#file, lines);
    await this.#file.syncData();
    this.#isTorn = false;
    batch.forEach(({ end: { id } }, index) => this.#noteLine(id, lines[index]?.length ?? 0));
  }

  #noteLine(id: string, bytes: number): void {
    this.#size += bytes;
    this.#staleBytes += this.#bytesOf.get(id) ?? 0;
    this.#bytesOf.delete(id);
    if (this.#needed.has(id)) this.#bytesOf.set(id, bytes);
    else this.#staleBytes += bytes;
  }

  async #tryToRewrite(): Promise<void> {
    try {
      await this.#rewrite();
      this.#rewriteFromBytes = MIN_REWRITTEN_BYTES;
    } catch (error) {
      // The file can still grow. A full disk may have room for the next end and not for all of them.
      this.#options.onError(error);
      this.#rewriteFromBytes = 2 * this.#size;
    }
  }

  /** Replaces the file by one that has only the ends that are needed. */
  async #rewrite(): Promise<void> {
    const { path } = this.#options;
    const needed = [...this.#needed.values()];
    const lines = needed.map(encodeEnd);
    const file = await openEmpty(`${path}.new`);
    try {
      await writeLines(file, lines);
      await file.syncData();
      await Deno.rename(`${path}.new`, path);
    } catch (error) {
      file.close();
      await Deno.remove(`${path}.new`); // It may have taken the last room on the disk.
      throw error;
    }
    this.#file?.close();
    this.#file = file;
    this.#isTorn = false;
    this.#size = 0;
    this.#staleBytes = 0;
    this.#bytesOf.clear();
    needed.forEach(({ id }, index) => this.#noteLine(id, lines[index]?.length ?? 0));
    await syncDirectory(path);
  }
}

/** Opens an empty file, to which each write appends. */
async function openEmpty(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { append: true, create: true, mode: 0o600 });
  await file.truncate();
  return file;
}

async function openJournal(path: string): Promise<Deno.FsFile> {
  const file = await openEmpty(path);
  await syncDirectory(path);
  return file;
}

/** Writes the entry of a file to the disk. */
async function syncDirectory(path: string): Promise<void> {
  using directory = await Deno.open(dirname(path));
  await directory.sync();
}

async function writeLines(file: Deno.FsFile, lines: readonly Uint8Array[]): Promise<void> {
  const bytes = joinBytes(lines);
  for (let from = 0; from < bytes.length;) from += await file.write(bytes.subarray(from));
}
