/**
 * Cuts the prose out of TypeScript: comments, error and help texts, and test names.
 *
 * It has its own scanner, which knows strings, templates, comments and regular expressions. The parser of `Deno.lint` works
 * only under `deno test`.
 */
import { commentProse, type Prose, type ProseKind, withoutCode } from "./prose_comment.ts";

/** The code before a `/` that starts a regular expression, in contrast to a division. */
const BEFORE_REGEX =
  /(^|[([{,;:=!&|?+\-*%<>~^}]|=>|\b(return|typeof|case|in|of|do|else|await|yield|void|delete|new|throw))\s*$/;

interface Bracket {
  /** The text before an opening parenthesis, such as `new Error`. Empty for other brackets. */
  readonly callee: string;
  /** True for `${`. The template continues after its closing brace. */
  readonly isInserted: boolean;
}

/** Returns the prose of a TypeScript file. In a test, test names are the only strings. */
export function typescriptProse(source: string, isTest: boolean): Prose[] {
  const found: Prose[] = [];
  const brackets: Bracket[] = [];
  let at = 0;
  let line = 1;
  /** The code just before: it decides what a string or a slash is. */
  let before = "";
  let lineComment: { start: number; last: number; lines: string[] } | undefined;
  let previousString: { index: number } | undefined;

  const endLineComment = () => {
    if (lineComment !== undefined) found.push(...commentProse(lineComment.start, lineComment.lines));
    lineComment = undefined;
  };
  const addString = (start: number, text: string, quotedValues: string[]) => {
    if (/\+\s*$/.test(before) && previousString !== undefined) {
      const earlier = found[previousString.index];
      if (earlier !== undefined) {
        found[previousString.index] = {
          ...earlier,
          text: earlier.text + "\n".repeat(Math.max(0, start - earlier.line - earlier.text.split("\n").length + 1)) +
            text,
          quotedValues: [...earlier.quotedValues, ...quotedValues],
        };
        return;
      }
    }
    const kind = kindOfString(text, before, brackets, isTest);
    previousString = kind === undefined ? undefined : { index: found.length };
    if (kind !== undefined) {
      found.push({ kind, line: start, text: withoutCode(text), quotedValues: kind === "error" ? quotedValues : [] });
    }
  };
  /** Reads a template, from the character after its first mark to its end. */
  const readTemplate = () => {
    const start = line;
    let text = "";
    const values: string[] = [];
    while (at < source.length && source[at] !== "`") {
      if (source[at] === "\\") {
        text += " ";
        if (source[at + 1] === "\n") line += 1;
        at += 2;
      } else if (source.startsWith("${", at)) {
        const from = at + 2;
        const quote = text.at(-1);
        const outside = before;
        before = "";
        at += 2;
        brackets.push({ callee: "", isInserted: true });
        readCode();
        if (quote !== undefined && /["']/.test(quote) && source[at] === quote) values.push(source.slice(from, at - 1));
        before = outside;
        text += "VALUE";
      } else {
        if (source[at] === "\n") line += 1;
        text += source[at];
        at += 1;
      }
    }
    at += 1;
    addString(start, text, values);
    before = '""';
  };
  /** Reads code until the end, or until the `}` that ends an inserted value. */
  const readCode = () => {
    while (at < source.length) {
      const char = source[at] ?? "";
      if (source.startsWith("//", at)) {
        const end = source.indexOf("\n", at) < 0 ? source.length : source.indexOf("\n", at);
        const text = source.slice(at, end).replace(/^\/\/+ ?/, "");
        const isAlone = /^\s*$/.test(source.slice(source.lastIndexOf("\n", at - 1) + 1, at));
        if (lineComment !== undefined && isAlone && lineComment.last === line - 1) {
          lineComment.lines.push(text);
          lineComment.last = line;
        } else {
          endLineComment();
          lineComment = { start: line, last: line, lines: [text] };
          if (!isAlone) endLineComment();
        }
        at = end;
      } else if (source.startsWith("/*", at)) {
        const end = source.indexOf("*/", at + 2) < 0 ? source.length : source.indexOf("*/", at + 2);
        const lines = source.slice(at + 2, end).split("\n").map((text) => text.replace(/^\s*\*+ ?/, ""));
        endLineComment();
        found.push(...commentProse(line, lines));
        line += lines.length - 1;
        at = end + 2;
      } else if (char === '"' || char === "'") {
        const start = line;
        let text = "";
        at += 1;
        while (at < source.length && source[at] !== char && source[at] !== "\n") {
          if (source[at] === "\\") {
            text += /["']/.test(source[at + 1] ?? "") ? source[at + 1] : " ";
            at += 2;
          } else text += source[at++];
        }
        at += 1;
        addString(start, text, []);
        before = '""';
      } else if (char === "`") {
        at += 1;
        readTemplate();
      } else if (char === "/" && BEFORE_REGEX.test(before)) {
        let isInClass = false;
        at += 1;
        while (at < source.length && source[at] !== "\n" && (isInClass || source[at] !== "/")) {
          if (source[at] === "\\") at += 1;
          else if (source[at] === "[") isInClass = true;
          else if (source[at] === "]") isInClass = false;
          at += 1;
        }
        at += 1;
        before = "x";
      } else {
        if (char === "\n") line += 1;
        if (/[([{]/.test(char)) {
          brackets.push({ callee: char === "(" ? before.trim().slice(-60) : "", isInserted: false });
        }
        at += 1;
        if (/[)\]}]/.test(char) && brackets.pop()?.isInserted === true) return;
        before = (before + char).slice(-80);
      }
    }
  };
  readCode();
  endLineComment();
  return found;
}

/** Returns the kind of a string. Undefined when no person reads it. */
function kindOfString(
  text: string,
  before: string,
  brackets: readonly Bracket[],
  isTest: boolean,
): ProseKind | undefined {
  const callee = brackets.findLast((bracket) => bracket.callee !== "")?.callee ?? "";
  const direct = brackets.at(-1)?.callee ?? "";
  const isName = /(^|[\s{,])name:\s*$/.test(before) && /\bDeno\.test\($|\bDeno\.test$/.test(callee);
  if (isTest) {
    const isTestCall = /(\bDeno\.test(\.\w+)?|\.step|^step|\b\w*Test)$/.test(direct) && /\($/.test(before.trim());
    return isName || isTestCall ? "test name" : undefined;
  }
  if (!/[a-z]{2,}\s+[a-z]{2,}/i.test(text)) return undefined;
  if (/(Error|\bfail|\brefuse\w*|\bsuper)$/.test(direct)) return "error";
  if (/\.(description|option|addHelpText|summary|argument|requiredOption)$/.test(direct)) return "string";
  // Notes and examples of a help text have lines of commands, so they are not sentences.
  if (/\b[A-Z_]*(NOTES|EXAMPLES|HELP)(: \w+)? = $/.test(before)) return "cell";
  const words = text.match(/(?<![\w/.-])[a-z]+(?=[\s,.:;)]|$)/g) ?? [];
  return words.length >= 3 && !looksLikeCode(text) ? "string" : undefined;
}

/** Returns whether a string is SQL, a shell script or the like. Options and placeholders are not code. */
function looksLikeCode(text: string): boolean {
  const plain = text.replace(/--[\w-]+(=\S+)?/g, "").replace(/\b[A-Z_]+=[A-Z_]+\b|<[\w:-]+>/g, "");
  return /[{}|=<>]|\$\(|&&|;\s*(then|fi|do|done|exit|echo|exec|sleep)\b/.test(plain) ||
    /\b(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER|WHERE)\b/.test(plain);
}
