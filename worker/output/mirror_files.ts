/** The files of a log that another process writes. It opens them when they are read, and never changes them. */
import { join } from "node:path";
import { errorCode } from "../../base/error_code.ts";
import { OutputUnavailableError } from "../storage_errors.ts";
import { LOG_START, type LogPosition, type LogRange } from "./cursor.ts";
import { jobChecksum } from "./file_header.ts";
import { type LogIdentity, newLogIdentity } from "./log_identity.ts";
import type { LogFiles } from "./reader.ts";
import { Segment } from "./segment.ts";
import { fileName, fileNames } from "./segment_set.ts";

/** How often the files are listed for one read. A fast writer deletes several files while one is opened. */
const READ_ATTEMPTS = 5;

/** The files of a log that another process writes. */
export class MirrorFiles implements LogFiles {
  readonly #id: string;
  readonly #directory: string;
  /** The end is what the writer has reported. The files may be longer. */
  readonly #range: Readonly<LogRange>;
  readonly #isSegmented: boolean;
  #segments: Segment[] = [];
  #identity: LogIdentity = newLogIdentity();
  /** The end of the log when the files were listed. */
  #listedAt = 0;
  #isRemoved = false;
  /** Resolves when the files are listed. Two lists at a time would open a file twice. */
  #listed: Promise<void> = Promise.resolve();

  /** @param isSegmented true when the log may have several files */
  constructor(id: string, directory: string, range: Readonly<LogRange>, isSegmented: boolean) {
    this.#id = id;
    this.#directory = directory;
    this.#range = range;
    this.#isSegmented = isSegmented;
  }

  get identity(): LogIdentity {
    return this.#identity;
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  get start(): LogPosition {
    const [first] = this.#segments;
    const { start } = this.#range;
    return first === undefined || first.start < start.position
      ? start
      : { position: first.start, offsets: first.header.offsets };
  }

  /** Opens files that are new, and forgets files that the writer has deleted. */
  async open(): Promise<void> {
    const { position } = this.#range.end;
    if (position === this.#listedAt || (this.#segments.length > 0 && !this.#isSegmented)) return;
    await this.#list();
    this.#listedAt = position;
  }

  /** Lists the files after the lists that have begun. */
  #list(): Promise<void> {
    const listed = this.#listed.then(() => this.#listNow());
    this.#listed = listed.catch(() => {}); // The caller of that list gets its error.
    return listed;
  }

  async #listNow(): Promise<void> {
    for (let attempt = 1; attempt <= READ_ATTEMPTS && !this.#isRemoved; attempt++) {
      if (await this.#openListed() || !this.#isSegmented) return;
    }
  }

  /** Lists and opens the files once. Returns false when the writer has deleted all that were listed. */
  async #openListed(): Promise<boolean> {
    const names = this.#isSegmented ? await fileNames(this.#directory) : [fileName(LOG_START.position)];
    const known = new Map(this.#segments.map((segment) => [segment.path, segment]));
    const segments: Segment[] = [];
    for (const path of names.map((name) => join(this.#directory, name))) {
      const segment = known.get(path) ?? await this.#openFile(path);
      known.delete(path);
      if (segment !== undefined) segments.push(segment);
    }
    this.#segments = segments;
    const [first] = segments;
    if (first !== undefined) this.#identity = first.header.identity;
    for (const dropped of known.values()) await dropped.closeReader();
    return segments.length > 0 || names.length === 0;
  }

  /** Returns undefined when the file is new and has no whole header yet, or was deleted in the meantime. */
  async #openFile(path: string): Promise<Segment | undefined> {
    try {
      return await Segment.open(path, jobChecksum(this.#id));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async read(position: number, maxBytes: number, memory?: Uint8Array): Promise<Uint8Array | undefined> {
    for (let attempt = 1; !this.#isRemoved; attempt++) {
      const found = await this.#readKnown(position, maxBytes, memory);
      if (found !== undefined && found.length > 0) return found;
      if (attempt > 1 && this.start.position > position) return undefined;
      if (attempt === READ_ATTEMPTS) throw new OutputUnavailableError(this.#id);
      // The position is in a file that is new, or was deleted. The writer may delete more files while they are listed.
      await this.#list();
    }
    return undefined;
  }

  /** Reads from a file that is open. Returns no bytes after its end, and undefined when no such file is left. */
  async #readKnown(position: number, maxBytes: number, memory?: Uint8Array): Promise<Uint8Array | undefined> {
    const segment = this.#segments.findLast(({ start }) => start <= position);
    if (segment === undefined) return undefined;
    segment.grow(this.#range.end.position);
    try {
      return await segment.read(position, maxBytes, memory);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // The writer has deleted the file, and its report of the new start is on its way.
      this.#segments = this.#segments.filter((other) => other !== segment);
      await segment.closeReader();
      return undefined;
    }
  }

  /** Closes the files for good, because they are being deleted. Later reads fail. */
  async forget(): Promise<void> {
    this.#isRemoved = true;
    const segments = this.#segments;
    this.#segments = [];
    await Promise.all(segments.map((segment) => segment.closeReader()));
  }

  async closeReaders(): Promise<void> {
    await Promise.all(this.#segments.map((segment) => segment.closeReader()));
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || errorCode(error) === "ENOENT";
}
