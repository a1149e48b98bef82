/** The server's log: lines for stderr. A line that cannot be written costs that line, and nothing else. */
import { logEntry } from "../text/unprintable.ts";

/** What may wait for a reader that is slow. Lines beyond it are lost. */
const MAX_WAITING_CHARS = 1_048_576;

/** A file that is non-blocking and full is tried again so often, at this distance in milliseconds. */
const MAX_BLOCKED = 20;
const BLOCKED_RETRY_MS = 50;

/** How long the end of the program waits for lines that still wait, in milliseconds. */
const CLOSE_MS = 500;

/** Where the lines go, such as `Deno.stderr`. */
export interface LogFile {
  /** Writes some of the bytes and resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Text that waits, and how many lines are lost if it is. */
interface Entry {
  readonly text: string;
  readonly lines: number;
}

/**
 * Writes lines in the background, so that neither a full disk nor a pipe that nobody reads holds the server up. Lost
 * lines are counted. The count is written before the next line that can be written.
 */
export class ServerLog {
  readonly #file: LogFile;
  #waiting: Entry[] = [];
  #waitingChars = 0;
  #lost = 0;
  #why = "";
  /** True when a failed write left the beginning of a line in the file. */
  #torn = false;
  #writing: Promise<void> | undefined;

  constructor(file: LogFile) {
    this.#file = file;
  }

  /** Adds a line. Returns at once and never throws. */
  line(text: string): void {
    const entry = { text: `${logEntry(text)}\n`, lines: 1 };
    if (this.#waitingChars + entry.text.length > MAX_WAITING_CHARS) return this.#lose(1, "nobody reads it");
    this.#tellLost();
    this.#add(entry);
    this.#writing ??= this.#writeAll();
  }

  /** Resolves when every line is written or lost, and at the latest after half a second. */
  async close(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, CLOSE_MS));
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
  }

  #add(entry: Entry): void {
    this.#waiting.push(entry);
    this.#waitingChars += entry.text.length;
  }

  #lose(lines: number, why: string): void {
    this.#lost += lines;
    this.#why = why;
  }

  /** Adds the count of lost lines, once. If that line is lost too, its lines are counted again. */
  #tellLost(): void {
    if (this.#lost === 0) return;
    this.#add({
      text: logEntry(`warning: ${this.#lost} lines of this log were lost: ${this.#why}`) + "\n",
      lines: this.#lost,
    });
    this.#lost = 0;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const entries = this.#waiting.splice(0);
      const text = entries.map((entry) => entry.text).join("");
      try {
        await this.#write(new TextEncoder().encode(this.#torn ? `\n${text}` : text));
      } catch (error) {
        const lines = entries.reduce((sum, entry) => sum + entry.lines, 0);
        this.#lose(lines, error instanceof Error ? error.message : String(error));
      }
      // Counted until now: text that is being written takes memory too.
      this.#waitingChars -= text.length;
    }
    this.#writing = undefined;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    let blocked = 0;
    while (rest.length > 0) {
      try {
        rest = rest.subarray(await this.#file.write(rest));
        this.#torn = true;
      } catch (error) {
        blocked += 1;
        if (!(error instanceof Deno.errors.WouldBlock) || blocked > MAX_BLOCKED) throw error;
        await new Promise((resolve) => setTimeout(resolve, BLOCKED_RETRY_MS));
      }
    }
    this.#torn = false;
  }
}
