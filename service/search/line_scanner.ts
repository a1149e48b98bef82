/** Finds the lines of one stream that match a pattern, in the chunks of the stream, with limited memory. */
import { joinBytes } from "../../base/join_bytes.ts";
import type { LinePattern } from "./line_pattern.ts";

const NEWLINE = 10;

/** The most bytes of lines that are compared at once. A part with a match is compared again line by line. */
const WINDOW_BYTES = 16_384;

/** A part of a stream that is in lines that match: whole lines, or a part of a long line. */
export interface Match {
  readonly data: Uint8Array;
  /** The position of the first byte in the stream. */
  readonly offset: number;
  /** False when more of the last line follows. */
  readonly endsLine: boolean;
}

/** The scanner of one stream. */
export class LineScanner {
  readonly #pattern: LinePattern;
  /** The beginning of a line whose end is not known yet. */
  #open: Uint8Array = new Uint8Array();
  #openBytes = 0;
  /** Whether the rest of a long line is passed on. Undefined: the line is not decided. */
  #passes: boolean | undefined;
  #lineStart = 0;
  #end = 0;

  constructor(pattern: LinePattern) {
    this.#pattern = pattern;
  }

  /** The position in the stream at which the first line without an end begins. */
  get lineStart(): number {
    return this.#lineStart;
  }

  /** True when a line has begun whose end is not known yet. */
  get hasOpenLine(): boolean {
    return this.#lineStart < this.#end;
  }

  /**
   * Yields the matches of the next chunk in their order. Between two steps other work may run; a step takes some
   * milliseconds at most.
   *
   * @param data the bytes after all before. A jump forward must come after `finish()`
   * @returns the matches of each step, which may be none
   */
  *scan(data: Uint8Array, offset: number): Generator<Match[], void, void> {
    if (!this.hasOpenLine) this.#lineStart = offset;
    this.#end = offset + data.length;
    let at = 0;
    if (this.#openBytes > 0 || this.#passes !== undefined) {
      const newline = data.indexOf(NEWLINE);
      at = newline < 0 ? data.length : newline + 1;
      yield this.#extend(data.subarray(0, at), offset, newline >= 0);
    }
    const { maxBytes } = this.#pattern;
    while (at < data.length) {
      const limit = Math.min(at + Math.min(WINDOW_BYTES, maxBytes), data.length);
      let end = data.lastIndexOf(NEWLINE, limit - 1) + 1;
      if (end > at) {
        yield this.#compareLines(data.subarray(at, end), offset + at);
      } else {
        // A line that is longer than the window, or has no end here.
        const newline = data.indexOf(NEWLINE, limit);
        end = newline < 0 ? data.length : newline + 1;
        this.#lineStart = offset + at;
        yield this.#extend(data.subarray(at, end), offset + at, newline >= 0);
      }
      at = end;
    }
  }

  /** Ends the open line, as at the end of the output, and returns it when it matches. */
  finish(): Match[] {
    const { data, offset } = { data: this.#open.subarray(0, this.#openBytes), offset: this.#lineStart };
    const isMatch = this.#passes === undefined && this.#openBytes > 0 && this.#pattern.matches(data);
    this.#closeLine();
    return isMatch ? [{ data, offset, endsLine: true }] : [];
  }

  /** Compares whole lines. Adjacent lines that match become one match. */
  #compareLines(lines: Uint8Array, offset: number): Match[] {
    const after = offset + lines.length;
    const matches: Match[] = [];
    if (this.#pattern.mayMatchIn(lines)) {
      let begin: number | undefined;
      for (let at = 0; at < lines.length;) {
        const newline = lines.indexOf(NEWLINE, at);
        const isMatch = this.#pattern.matches(lines.subarray(at, newline));
        if (isMatch) begin ??= at;
        else if (begin !== undefined) {
          matches.push({ data: lines.subarray(begin, at), offset: offset + begin, endsLine: true });
          begin = undefined;
        }
        at = newline + 1;
      }
      if (begin !== undefined) matches.push({ data: lines.subarray(begin), offset: offset + begin, endsLine: true });
    }
    this.#lineStart = after;
    return matches;
  }

  /** Adds bytes to the open line, up to and with its newline if it ends there. */
  #extend(part: Uint8Array, offset: number, endsLine: boolean): Match[] {
    const { maxBytes } = this.#pattern;
    const known = this.#passes;
    let matches: Match[] = [];
    if (known === undefined) {
      const length = this.#openBytes + part.length - (endsLine ? 1 : 0);
      const taken = Math.min(part.length, maxBytes - this.#openBytes);
      this.#keep(part.subarray(0, taken));
      if (endsLine || length >= maxBytes) {
        const compared = this.#open.subarray(0, Math.min(this.#openBytes, length, maxBytes));
        this.#passes = this.#pattern.matches(compared);
        if (this.#passes) {
          const data = joinBytes([this.#open.subarray(0, this.#openBytes), part.subarray(taken)]);
          matches = [{ data, offset: this.#lineStart, endsLine }];
        }
        this.#openBytes = 0;
      }
    } else if (known) {
      matches = [{ data: part, offset, endsLine }];
    }
    if (endsLine) {
      this.#lineStart = offset + part.length;
      this.#passes = undefined;
      this.#openBytes = 0;
    }
    return matches;
  }

  #keep(part: Uint8Array): void {
    const length = this.#openBytes + part.length;
    if (this.#open.length < length) {
      const grown = new Uint8Array(Math.min(Math.max(length, 2 * this.#open.length, 256), this.#pattern.maxBytes));
      grown.set(this.#open.subarray(0, this.#openBytes));
      this.#open = grown;
    }
    this.#open.set(part, this.#openBytes);
    this.#openBytes = length;
  }

  #closeLine(): void {
    this.#lineStart = this.#end;
    this.#passes = undefined;
    this.#openBytes = 0;
    this.#open = new Uint8Array();
  }
}
