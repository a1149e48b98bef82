/**
 * Cuts the prose out of a source text: comments, error and help texts, test names, and the paragraphs of Markdown.
 *
 * It reads TypeScript with its own scanner, which knows strings, templates, comments and regular expressions. The parser
 * of `Deno.lint` works only under `deno test`.
 */

/** The kind of text that a piece of prose is. Headings and table cells need not be sentences. */
export type ProseKind = "comment" | "error" | "string" | "test name" | "paragraph" | "heading" | "cell";

/** One continuous text: a paragraph, a comment, or a string. */
export interface Prose {
  readonly kind: ProseKind;
  /** The line on which the text starts, from 1. */
  readonly line: number;
  /** The text with its line breaks. Inline code stands as `CODE`, an inserted value as `VALUE`. */
  readonly text: string;
  /** The expressions that an error text inserts between quotes. Empty for other kinds. */
  readonly quotedValues: readonly string[];
}

/** Returns the prose of one file. Returns nothing for a kind of file that holds none. */
export function proseOf(path: string, source: string): Prose[] {
  if (path.endsWith(".ts")) return typescriptProse(source, /^(tests|bench)\//.test(path));
  if (path.endsWith(".proto")) return protoProse(source);
  if (path.endsWith(".md")) return markdownProse(source);
  return [];
}

/** Inline code, links and addresses count as one word each. */
function withoutCode(text: string): string {
  const keepBreaks = (word: string) => (match: string) => word + "\n".repeat(match.split("\n").length - 1);
  return text
    .replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, keepBreaks("CODE"))
    .replace(/\{@link\s+([^}|\s]+)[^}]*\}/g, "CODE")
    .replace(/\bhttps?:\/\/[^\s)>]+/g, "LINK");
}

/** Cuts the text of one comment, without its marks, into paragraphs. */
function commentProse(firstLine: number, lines: readonly string[]): Prose[] {
  const found: Prose[] = [];
  let paragraph: string[] = [];
  let start = firstLine;
  let isFenced = false;
  const finish = () => {
    const text = paragraph.join("\n");
    if (text.trim() !== "") found.push({ kind: "comment", line: start, text: withoutCode(text), quotedValues: [] });
    paragraph = [];
  };
  lines.forEach((line, index) => {
    const text = line.trim();
    const isFence = text.startsWith("```");
    if (isFence) isFenced = !isFenced;
    const isSkipped = isFence || isFenced || /^(deno-lint-ignore|@ts-|#region|#!|\|)/.test(text);
    const startsNew = /^(@\w+|[-*] |\d+\. )/.test(text);
    if (text === "" || isSkipped || startsNew) finish();
    if (text === "" || isSkipped) return;
    if (paragraph.length === 0) start = firstLine + index;
    paragraph.push(
      text.replace(/^@(param|template|typeParam)\s+\S+\s*(-\s+)?/, "").replace(/^@throws\s+\{[^}]*\}\s*/, "")
        .replace(/^@\w+\s*/, "").replace(/^([-*]|\d+\.) /, ""),
    );
  });
  finish();
  return found;
}

/** The code before a `/` that starts a regular expression, in contrast to a division. */
const BEFORE_REGEX =
  /(^|[([{,;:=!&|?+\-*%<>~^}]|=>|\b(return|typeof|case|in|of|do|else|await|yield|void|delete|new|throw))\s*$/;

interface Bracket {
  /** The text before an opening parenthesis, such as `new Error`. Empty for other brackets. */
  readonly callee: string;
  /** True for `${`. The template continues after its closing brace. */
  readonly isInserted: boolean;
}

function typescriptProse(source: string, isTest: boolean): Prose[] {
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
  const looksLikeCode = /[;{}=|<>]|\$\(|\b(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER|WHERE)\b/.test(text);
  const words = text.match(/(?<![\w/.-])[a-z]+(?=[\s,.:;)]|$)/g) ?? [];
  return !looksLikeCode && words.length >= 3 ? "string" : undefined;
}

/** Reads the comments of a service definition. */
function protoProse(source: string): Prose[] {
  const found: Prose[] = [];
  let lines: string[] = [];
  let start = 1;
  const finish = () => {
    if (lines.length > 0) found.push(...commentProse(start, lines));
    lines = [];
  };
  source.split("\n").forEach((text, index) => {
    const comment = /^(.*?)\/\/ ?(.*)$/.exec(text);
    const isAlone = comment !== null && comment[1]?.trim() === "";
    if (!isAlone) finish();
    if (comment === null) return;
    if (lines.length === 0) start = index + 1;
    lines.push(comment[2] ?? "");
    if (!isAlone) finish();
  });
  finish();
  return found;
}

function markdownProse(source: string): Prose[] {
  const found: Prose[] = [];
  let paragraph: string[] = [];
  let start = 1;
  let fence: string | undefined;
  const add = (kind: ProseKind, line: number, text: string) => {
    const plain = withoutCode(text).replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/\*\*|(?<!\w)[*_](?=\S)/g, "");
    if (plain.trim() !== "") found.push({ kind, line, text: plain, quotedValues: [] });
  };
  const finish = () => {
    add("paragraph", start, paragraph.join("\n"));
    paragraph = [];
  };
  source.split("\n").forEach((raw, index) => {
    const text = raw.trim().replace(/^(> ?)+/, "");
    const mark = /^(```+|~~~+)/.exec(text)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence) === true) fence = undefined;
      return;
    }
    if (mark !== undefined) fence = mark;
    const isTable = text.startsWith("|");
    const isHeading = /^#+ /.test(text);
    const isItem = /^([-*+]|\d+\.) /.test(text);
    if (text === "" || mark !== undefined || isTable || isHeading || isItem) finish();
    if (text === "" || mark !== undefined || /^<!--/.test(text)) return;
    if (isTable) {
      for (const cell of withoutCode(text).split("|")) if (!/^\s*:?-+:?\s*$/.test(cell)) add("cell", index + 1, cell);
    } else if (isHeading) add("heading", index + 1, text.replace(/^#+ /, ""));
    else {
      if (paragraph.length === 0) start = index + 1;
      paragraph.push(text.replace(/^([-*+]|\d+\.) /, ""));
    }
  });
  finish();
  return found;
}
