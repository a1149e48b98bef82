/** Pieces of prose, and how a comment is cut into them. */

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

/** Inline code, links and addresses count as one word each. */
export function withoutCode(text: string): string {
  const keepBreaks = (word: string) => (match: string) => word + "\n".repeat(match.split("\n").length - 1);
  return text
    .replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, keepBreaks("CODE"))
    .replace(/\{@link\s+([^}|\s]+)[^}]*\}/g, "CODE")
    .replace(/\bhttps?:\/\/[^\s)>]+/g, "LINK");
}

/** Cuts the text of one comment, without its marks, into paragraphs. */
export function commentProse(firstLine: number, lines: readonly string[]): Prose[] {
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
