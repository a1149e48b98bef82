/** Aligned columns of text for a terminal: lists, and names with their values. */

/** The SGR sequences that set colours. They take no cells. */
// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[\d;]*m/g;

/** Printable ASCII: each character takes one cell. */
const ASCII = /^[\x20-\x7e]*$/;

/** Characters that take no cell: marks on the character before them, invisible characters and controls. */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\p{Cc}]+$/u;

/** Emoji that terminals draw in two cells. U+FE0F asks for the emoji form of a character. */
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;

/** The ranges of Unicode Standard Annex #11 whose characters are wide or fullwidth, without emoji. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\u4dbf\u4e00-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{1b000}\u{1b001}\u{1f200}-\u{1f251}\u{20000}-\u{3fffd}]/u;

let segmenter: Intl.Segmenter | undefined;

/** Splits a text into the characters that a reader sees. */
function graphemes(text: string): Intl.Segments {
  // Not before the first text that needs it: to make it takes a twentieth of the start of a program.
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/**
 * Counts the terminal cells that a text of one line takes. Colours count nothing.
 *
 * @example
 * ```ts
 * cellWidth("job"); // 3
 * cellWidth("作業"); // 4
 * ```
 */
export function cellWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let cells = 0;
  for (const { segment } of graphemes(text.replace(COLOURS, ""))) {
    if (EMOJI.test(segment) || WIDE.test(segment)) cells += 2;
    else if (!ZERO_WIDTH.test(segment)) cells += 1;
  }
  return cells;
}

/** Cuts a line to a number of cells, with `…` at its end. Its colours stay, because they take no cells. */
export function cutToCells(line: string, maxCells: number): string {
  if (cellWidth(line) <= maxCells) return line;
  let [text, cells, isFull] = ["", 0, false];
  const parts = line.split(COLOURS);
  const colours = line.match(COLOURS) ?? [];
  for (const [index, part] of parts.entries()) {
    for (const { segment } of isFull ? [] : graphemes(part)) {
      cells += cellWidth(segment);
      isFull = cells >= maxCells;
      text += isFull ? "…" : segment;
      if (isFull) break;
    }
    text += colours[index] ?? "";
  }
  return text;
}

/** The layout of {@linkcode formatColumns}. */
export interface ColumnsOptions {
  /** Cells between two columns; 2 by default. */
  readonly gap?: number;
  /** Indices, from 0, of the columns that are aligned to the right, such as numbers. */
  readonly right?: readonly number[];
}

/**
 * Formats rows as aligned columns, one line per row, without spaces at line ends.
 *
 * @param rows the rows; each cell is one line of text that is safe to show, and may have colours
 * @example
 * ```ts
 * formatColumns([["NAME", "BYTES"], ["log", "7"]], { right: [1] });
 * // NAME  BYTES
 * // log       7
 * ```
 */
export function formatColumns(rows: readonly (readonly string[])[], options: ColumnsOptions = {}): string {
  const { gap = 2, right = [] } = options;
  // The last cell of a row may be long, such as a command line, and needs no padding.
  const isPadded = (row: readonly string[], index: number) => index < row.length - 1 || right.includes(index);
  const sizes = rows.map((row) => row.map((cell, index) => isPadded(row, index) ? cellWidth(cell) : 0));
  const widths: number[] = [];
  for (const row of sizes) {
    for (const [index, size] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, size);
  }
  const lines = rows.map((row, line) => {
    const cells = row.map((cell, index) => {
      if (!isPadded(row, index)) return cell;
      const padding = " ".repeat((widths[index] ?? 0) - (sizes[line]?.[index] ?? 0));
      return right.includes(index) ? padding + cell : cell + padding;
    });
    return cells.join(" ".repeat(gap)).trimEnd();
  });
  return lines.join("\n");
}
