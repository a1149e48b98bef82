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
    this.#compiled = RE2JS.compile(RE2JS.translateRegExp(source), RE2JS.DOTALL);
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
