/** Writes the lines of a log in the background. A line that cannot be written is lost, and nothing else fails. */
import { deadline } from "../../base/deadline.ts";
import { sleep } from "../../base/backoff.ts";
import { errorMessage } from "../../base/error_message.ts";

/** The most characters that wait for a slow reader. Further lines are lost. */
const MAX_WAITING_CHARS = 1_048_576;

/** How often a write to a full, non-blocking file is repeated. */
const MAX_BLOCKED = 20;
/** The delay before each repetition, in milliseconds. */
const BLOCKED_RETRY_MS = 50;

/** How long {@linkcode LineWriter.close} waits for lines to be written, in milliseconds. */
const CLOSE_MS = 500;

/** The file that receives the lines, such as `Deno.stderr`. */
export interface LogFile {
  /** Writes some of the bytes and resolves to their number. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Returns the line that reports lost lines, without its line break. */
export type LostLinesFormat = (count: number, reason: string) => string;

/** Text that waits, and the number of lines that are lost with it. */
interface Entry {
  readonly text: string;
  readonly lines: number;
}

/**
 * Writes lines in the background, so that neither a full disk nor a pipe without a reader delays the program. It counts
 * lost lines and reports their number before the next line that it can write.
 */
export class LineWriter {
  readonly #file: LogFile;
  readonly #formatLost: LostLinesFormat;
  #waiting: Entry[] = [];
  #waitingChars = 0;
  #lost = 0;
  #lostReason = "";
  /** True when a failed write left an incomplete line in the file. */
  #isTorn = false;
  #writing: Promise<void> | undefined;

  constructor(file: LogFile, formatLost: LostLinesFormat) {
    this.#file = file;
    this.#formatLost = formatLost;
  }

  /** Adds a line. The text must not contain a line break. Returns at once and never throws. */
  write(line: string): void {
    const entry = { text: `${line}\n`, lines: 1 };
    if (entry.text.length > MAX_WAITING_CHARS) return this.#lose(1, "it is too long");
    if (this.#waitingChars + entry.text.length > MAX_WAITING_CHARS) return this.#lose(1, "nobody reads it");
    this.#reportLost();
    this.#add(entry);
    this.#writing ??= this.#writeAll();
  }

  /** Reports lost lines, and resolves when every line is written or lost, after half a second at the latest. */
  async close(): Promise<void> {
    this.#reportLost();
    if (this.#waiting.length > 0) this.#writing ??= this.#writeAll();
    if (this.#writing !== undefined) await deadline(this.#writing, CLOSE_MS);
  }

  #add(entry: Entry): void {
    this.#waiting.push(entry);
    this.#waitingChars += entry.text.length;
  }

  #lose(lines: number, reason: string): void {
    this.#lost += lines;
    this.#lostReason = reason;
  }

  /** Adds the number of lost lines once. If that line is lost too, its lines are counted again. */
  #reportLost(): void {
    if (this.#lost === 0) return;
    this.#add({ text: `${this.#formatLost(this.#lost, this.#lostReason)}\n`, lines: this.#lost });
    this.#lost = 0;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting.splice(0);
      const text = entries.map((entry) => entry.text).join("");
      try {
        await this.#writeWhole(new TextEncoder().encode(this.#isTorn ? `\n${text}` : text));
      } catch (error) {
        const lines = entries.reduce((sum, entry) => sum + entry.lines, 0);
        this.#lose(lines, errorMessage(error));
      }
      // Text that is being written takes memory too, so it counts until here.
      this.#waitingChars -= text.length;
    }
    this.#writing = undefined;
  }

  async #writeWhole(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    let blocked = 0;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(await this.#file.write(rest));
        this.#isTorn = true;
      } catch (error) {
        blocked += 1;
        if (!(error instanceof Deno.errors.WouldBlock) || blocked > MAX_BLOCKED) throw error;
        await sleep(BLOCKED_RETRY_MS);
      }
    }
    this.#isTorn = false;
  }
}
