/** The pattern of a search: a regular expression that is matched with the bytes of lines in linear time. */
import { RE2JS } from "re2js";
import { InvalidArgumentError } from "../../mod.ts";

/** The most characters of a pattern. */
const MAX_PATTERN_CHARS = 1_024;

/** The most instructions of a compiled pattern. */
const MAX_PROGRAM_SIZE = 640;

/** The most bytes of a line that are compared. */
const MAX_LINE_BYTES = 64 * 1024;

/** The most steps of one comparison. Measured for the slowest patterns: 77,000 steps a millisecond. */
const MAX_STEPS = 1_310_720;

/** Syntax with which a pattern matches a line, but not the same line among others. */
const DEPENDS_ON_TEXT_BOUNDS = /\\[AzZ]|\(\?\w*-|\(\?\w*m/;

/** A pattern for lines. Bytes that are not UTF-8 match as U+FFFD. */
export class LinePattern {
  /** The bytes at the start of a line that are compared. The rest of a longer line is not. */
  readonly maxBytes: number;
  readonly #line: RE2JS;
  /** Matches whenever one of several lines matches. Undefined: unknown. */
  readonly #lines: RE2JS | undefined;

  /**
   * @param source a regular expression of RE2
   * @throws {InvalidArgumentError} when it is not one, or is too large
   */
  constructor(source: string, { ignoreCase = false }: { readonly ignoreCase?: boolean } = {}) {
    if (source.length > MAX_PATTERN_CHARS) {
      throw new InvalidArgumentError(
        `'grep' must have at most ${MAX_PATTERN_CHARS} characters, got ${source.length}`,
      );
    }
    const flags = ignoreCase ? RE2JS.CASE_INSENSITIVE : 0;
    this.#line = compiled(source, flags);
    const size = this.#line.programSize();
    if (size > MAX_PROGRAM_SIZE) {
      throw new InvalidArgumentError(
        `'grep' must compile to at most ${MAX_PROGRAM_SIZE} instructions, got ${size}: repeat less`,
      );
    }
    this.#lines = DEPENDS_ON_TEXT_BOUNDS.test(source) ? undefined : compiled(source, flags | RE2JS.MULTILINE);
    this.maxBytes = Math.min(MAX_LINE_BYTES, Math.floor(MAX_STEPS / size));
  }

  /**
   * Returns whether the pattern matches somewhere in the line.
   *
   * @param line a line without its newline, at most `maxBytes`
   */
  matches(line: Uint8Array): boolean {
    return this.#line.test(line);
  }

  /**
   * Returns false when the pattern matches none of the lines. Several times faster than to compare each.
   *
   * @param lines whole lines, at most `maxBytes`
   */
  mayMatchIn(lines: Uint8Array): boolean {
    return this.#lines?.test(lines) ?? true;
  }
}

function compiled(source: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(source, flags);
  } catch (error) {
    const { message } = error as Error;
    const reason = message.replace(/^error parsing regexp: /, "");
    throw new InvalidArgumentError(`'grep' must be a regular expression of RE2, got "${source}": ${reason}`);
  }
}
