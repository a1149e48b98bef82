/** Patterns of a policy: regular expressions that match in linear time, whatever the text is. */
import { RE2JS } from "re2js";

/** A pattern that must match a whole text. */
export class Pattern {
  /** The pattern as in the policy. */
  readonly source: string;
  readonly #compiled: RE2JS;
  readonly #size: number;

  /** @throws {Error} when it is not a regular expression, or has look-around or back-references */
  constructor(source: string) {
    // Only JavaScript's syntax is allowed, because RE2 gives other meanings to some of it. This only checks the syntax.
    new RegExp(source, "u");
    this.source = source;
    this.#compiled = RE2JS.compile(RE2JS.translateRegExp(translated(source)), RE2JS.DOTALL);
    this.#size = this.#compiled.programSize();
  }

  /** Returns whether the pattern matches the whole text. */
  matches(text: string): boolean {
    return this.#compiled.matches(text);
  }

  /** Returns the most steps that a match can take. Measured: a hundred million steps of usual patterns a second. */
  stepsFor(text: string): number {
    return this.#size * text.length;
  }
}

/**
 * Returns the pattern without the syntax that RE2 reads in another way. This is a bracket or `\b` inside brackets, and a
 * character that is written as two escapes.
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
