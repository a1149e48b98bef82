/** Lines of text from bytes that come in pieces, with limited memory. */

/** The most bytes of a line. Further ones are left out. */
const MAX_LINE_BYTES = 4_096;

/** Splits bytes into lines. */
export class TextLines {
  #open = "";
  readonly #decoder = new TextDecoder();
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Takes the next bytes. */
  add(data: Uint8Array): void {
    const lines = (this.#open + this.#decoder.decode(data, { stream: true })).split("\n");
    this.#open = lines.pop()!.slice(0, MAX_LINE_BYTES);
    for (const line of lines) this.#onLine(line.slice(0, MAX_LINE_BYTES));
  }

  /** Ends the last line. */
  end(): void {
    if (this.#open !== "") this.#onLine(this.#open);
    this.#open = "";
  }
}

/** The most lines that are kept for an error. */
const MAX_LINES = 8;

/** The last lines that a program wrote about its problems. */
export class ProblemLines {
  readonly lines: string[] = [];

  add(line: string): void {
    if (line.trim() === "") return;
    this.lines.push(line);
    if (this.lines.length > MAX_LINES) this.lines.shift();
  }

  /** Returns the lines as the end of a sentence. */
  toString(): string {
    return this.lines.map((line) => line.replace(/[.:]$/, "")).join("; ");
  }
}
