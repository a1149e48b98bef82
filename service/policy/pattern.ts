/** Patterns of a policy: regular expressions whose time grows with the text alone, whoever made the text. */
import { RE2JS } from "re2js";

/** A pattern for the whole of a text. */
export class Pattern {
  /** As the policy has it. */
  readonly source: string;
  readonly #compiled: RE2JS;
  readonly #size: number;

  /** @throws {Error} when it is no regular expression, or one that takes more than one way through the text */
  constructor(source: string) {
    // The language stays JavaScript's: RE2 has words of its own that mean something else there. This runs nothing.
    new RegExp(source, "u");
    this.source = source;
    this.#compiled = RE2JS.compile(RE2JS.translateRegExp(translated(source)), RE2JS.DOTALL);
    this.#size = this.#compiled.programSize();
  }

  /** Whether it matches the text from its first to its last character. */
  matches(text: string): boolean {
    return this.#compiled.matches(text);
  }

  /** The steps that matching takes at most; of those of usual patterns this machine makes a hundred million a second. */
  stepsFor(text: string): number {
    return this.#size * text.length;
  }
}

/**
 * Returns the pattern without what RE2 reads in another way: a bracket or `\b` within brackets, and a character that is
 * written as two escapes.
 */
function translated(source: string): string {
  let isClass = false;
  return source.replace(
    /\\u(d[89ab][\da-f]{2})\\u(d[c-f][\da-f]{2})|\\.|[[\]]/gisu,
    (token, high: string | undefined, low: string | undefined) => {
      if (high !== undefined && low !== undefined) {
        const point = String.fromCharCode(parseInt(high, 16), parseInt(low, 16)).codePointAt(0)!;
        return `\\u{${point.toString(16)}}`;
      }
      if (token === "\\b") return isClass ? "\\x08" : token;
      if (token === "[" && isClass) return "\\[";
      if (token === "[") isClass = true;
      else if (token === "]") isClass = false;
      return token;
    },
  );
}
