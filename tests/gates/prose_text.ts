/** Cuts the prose out of a file: TypeScript, a service definition, or Markdown. */
import { commentProse, type Prose, type ProseKind, withoutCode } from "./prose_comment.ts";
import { typescriptProse } from "./prose_typescript.ts";

/** Returns the prose of one file. Returns nothing for a kind of file that holds none. */
export function proseOf(path: string, source: string): Prose[] {
  if (path.endsWith(".ts")) return typescriptProse(source, /^(tests|bench)\//.test(path));
  if (path.endsWith(".proto")) return protoProse(source);
  if (path.endsWith(".md")) return markdownProse(source);
  return [];
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
