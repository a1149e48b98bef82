/** Sends the files of a log to a gateway: from the place that the gateway has, and then all growth. */
import { join } from "node:path";
import type { LogPosition } from "../../output/cursor.ts";
import { decodeFileHeader, FILE_HEADER_BYTES } from "../../output/file_header.ts";
import { fileName, fileNames } from "../../output/segment_set.ts";
import type { LogPiece, LogPlace, LogState } from "../link.ts";
import { MAX_PIECES_ON_WAY } from "./node_messages.ts";

/** The bytes of one piece. With its JSON it fits into 256 KiB, which the buffer of the gateway then has. */
const PIECE_BYTES = 261_120;

type Range = Pick<LogState, "start" | "end">;

/** The file that is being sent. */
interface OpenFile {
  readonly start: number;
  readonly file: Deno.FsFile;
  /** The place of the next read, in bytes of the file. */
  at: number;
}

/** Options of a sender. */
export interface LogSenderOptions {
  readonly id: string;
  /** The directory of the files. */
  readonly directory: string;
  /** The end of what the gateway has; undefined for the beginning. */
  readonly from: LogPlace | undefined;
  /** The part of the log that exists now. */
  readonly range: Range;
  /** Sends a piece. The next one waits for its promise. The memory of the data is used again after the call. */
  readonly send: (piece: LogPiece, data: Uint8Array) => Promise<void> | void;
  readonly onError: (error: unknown) => void;
}

/** Sends one log until it is stopped. */
export class LogSender {
  readonly #options: LogSenderOptions;
  #file: number;
  #offset: number;
  #open: OpenFile | undefined;
  readonly #memory = new Uint8Array(PIECE_BYTES);
  #range: Range;
  /** The part of the log that the gateway can read once all pieces before its end have arrived. */
  #goal: Range | undefined;
  /** The beginning of the log after a jump over files that were dropped. */
  #start: LogPosition | undefined;
  /** The ends of the pieces that the gateway has not stored, in order. */
  readonly #onWay: LogPlace[] = [];
  #stored = Promise.withResolvers<void>();
  #grown = Promise.withResolvers<void>();
  #isStopped = false;

  constructor(options: LogSenderOptions) {
    const { from, range } = options;
    this.#options = options;
    this.#file = from?.file ?? 0;
    this.#offset = from?.offset ?? 0;
    this.#range = this.#goal = range;
    void this.#run();
  }

  /** Takes the growth of the log, and the loss of its beginning. */
  grew(range: Range): void {
    if (range.end.position < this.#range.end.position) return;
    this.#range = range;
    this.#grown.resolve();
  }

  /** Notes that the gateway has stored everything up to a place. */
  stored({ file, offset }: LogPlace): void {
    const isStored = (end: LogPlace) => end.file < file || (end.file === file && end.offset <= offset);
    while (this.#onWay[0] !== undefined && isStored(this.#onWay[0])) this.#onWay.shift();
    this.#stored.resolve();
  }

  /** Sends nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#grown.resolve();
    this.#stored.resolve();
  }

  /** The position in the log of the next byte. */
  get #position(): number {
    return this.#file + Math.max(0, this.#offset - FILE_HEADER_BYTES);
  }

  async #run(): Promise<void> {
    const { id, send, onError } = this.#options;
    try {
      while (!this.#isStopped) {
        if (this.#goal === undefined) await this.#nextGoal();
        else if (this.#position < this.#goal.end.position) await this.#sendPiece(this.#goal);
        else await this.#sendRange(this.#goal);
      }
    } catch (error) {
      onError(error);
      if (!this.#isStopped) await send({ id, ...this.#place, isLast: true }, new Uint8Array());
    } finally {
      this.#open?.file.close();
    }
  }

  get #place(): LogPlace {
    return { file: this.#file, offset: this.#offset };
  }

  /** Waits for growth. The present range is reached before a newer one, or a fast job would never be read. */
  async #nextGoal(): Promise<void> {
    await this.#grown.promise;
    this.#grown = Promise.withResolvers<void>();
    this.#goal = this.#range;
  }

  /** Reports a range whose bytes were sent, or that has none. */
  async #sendRange(range: Range): Promise<void> {
    const piece = { id: this.#options.id, ...this.#place, range: this.#reportOf(range) };
    await this.#options.send(piece, new Uint8Array());
    this.#reached();
  }

  /** Returns a range for the gateway, whose files begin after a jump. */
  #reportOf({ start, end }: Range): Range {
    return { start: this.#start !== undefined && this.#start.position > start.position ? this.#start : start, end };
  }

  #reached(): void {
    const { start, end } = this.#range;
    const { start: sentStart, end: sentEnd } = this.#goal ?? this.#range;
    const isNewer = end.position > sentEnd.position || start.position > sentStart.position;
    this.#goal = isNewer ? this.#range : undefined;
  }

  async #sendPiece(goal: Range): Promise<void> {
    const { id, send } = this.#options;
    if (this.#onWay.length >= MAX_PIECES_ON_WAY) {
      await this.#stored.promise;
      this.#stored = Promise.withResolvers<void>();
      return;
    }
    const open = await this.#openFile();
    if (open === undefined) return await this.#findFile();
    const left = goal.end.position - this.#file + FILE_HEADER_BYTES - this.#offset;
    const data = this.#read(open, Math.min(PIECE_BYTES, left));
    if (data === undefined) {
      // The log continues in the next file.
      if (this.#position === this.#file) throw new Error(`Cannot send the log of job "${id}": its file is empty`);
      this.#moveTo(this.#position);
      return;
    }
    const place = this.#place;
    this.#offset += data.length;
    this.#onWay.push(this.#place);
    const isReached = this.#offset > FILE_HEADER_BYTES && this.#position >= goal.end.position;
    await send({ id, ...place, ...(isReached ? { range: this.#reportOf(goal) } : {}) }, data);
    if (isReached) this.#reached();
  }

  /**
   * Reads the next bytes. Undefined at the end of the file. It is synchronous: the bytes were just written, and a turn of
   * another thread costs more than the read.
   */
  #read(open: OpenFile, maxBytes: number): Uint8Array | undefined {
    if (open.at !== this.#offset) open.file.seekSync(this.#offset, Deno.SeekMode.Start);
    const bytes = open.file.readSync(this.#memory.subarray(0, maxBytes));
    open.at = this.#offset + (bytes ?? 0);
    return bytes === null ? undefined : this.#memory.subarray(0, bytes);
  }

  /** Opens the file of the next byte. Undefined when the job has dropped it. */
  async #openFile(): Promise<OpenFile | undefined> {
    if (this.#open?.start === this.#file) return this.#open;
    this.#open?.file.close();
    this.#open = undefined;
    try {
      const file = await Deno.open(join(this.#options.directory, fileName(this.#file)));
      return this.#open = { start: this.#file, file, at: 0 };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Continues at the oldest file, because the file of the next byte was dropped. */
  async #findFile(): Promise<void> {
    const names = await fileNames(this.#options.directory);
    const next = names.map((name) => Number.parseInt(name)).find((start) => start > this.#file);
    if (next === undefined) throw new Error(`Cannot send the log of job "${this.#options.id}": a file is missing`);
    this.#moveTo(next);
    const header = new Uint8Array(FILE_HEADER_BYTES);
    const open = await this.#openFile();
    if (open !== undefined) open.at += open.file.readSync(header) ?? 0;
    const { start: position, offsets } = decodeFileHeader(header) ?? {};
    if (position !== undefined && offsets !== undefined) this.#start = { position, offsets };
  }

  #moveTo(file: number): void {
    this.#file = file;
    this.#offset = 0;
  }
}
