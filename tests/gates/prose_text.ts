/** Cuts the prose out of a file: TypeScript, a service definition, Markdown, or another file with comments. */
import { commentProse, type Prose, type ProseKind, withoutCode } from "./prose_comment.ts";
import { typescriptProse } from "./prose_typescript.ts";

/** Returns the prose of one file. Returns nothing for a kind of file that holds none. */
export function proseOf(path: string, source: string): Prose[] {
  if (path.endsWith(".ts")) return typescriptProse(source, path.endsWith("_test.ts"));
  if (/\.(proto|c|go)$/.test(path)) return lineCommentProse(source, "//");
  if (path.endsWith(".md")) return markdownProse(source);
  if (path === "deno.json") return descriptionProse(source);
  if (/(^|\/)(Dockerfile|\.ci\/run|\.\w+ignore)$|\.(sh|py|service|conf)$/.test(path)) {
    return lineCommentProse(source, "#");
  }
  return [];
}

/** Reads the descriptions of the tasks. */
function descriptionProse(source: string): Prose[] {
  return source.split("\n").flatMap((line, index): Prose[] => {
    const text = /"description": "(.*)"/.exec(line)?.[1];
    return text === undefined ? [] : [{ kind: "string", line: index + 1, text: withoutCode(text), quotedValues: [] }];
  });
}

/** Reads comments of whole lines or at the end of a line. Indented lines of a comment are examples. */
function lineCommentProse(source: string, mark: "//" | "#"): Prose[] {
  const pattern = mark === "//" ? /^(.*?)\/\/ ?(.*)$/ : /^(\s*)#(?!!) ?(.*)$/;
  const found: Prose[] = [];
  let lines: string[] = [];
  let start = 1;
  const finish = () => {
    if (lines.length > 0) found.push(...commentProse(start, lines));
    lines = [];
  };
  source.split("\n").forEach((text, index) => {
    const comment = pattern.exec(text);
    const isAlone = comment !== null && comment[1]?.trim() === "";
    if (!isAlone) finish();
    if (comment === null) return;
    if (lines.length === 0) start = index + 1;
    lines.push(/^(\t| {2})/.test(comment[2] ?? "") ? "" : comment[2] ?? "");
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
