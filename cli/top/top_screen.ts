/** The screen of `teleport top`: lines that fit the terminal. */
import { cellWidth, cutToCells, formatColumns } from "../../text/columns.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { TerminalSize } from "../io.ts";
import { commandStart } from "../print/job_table.ts";
import type { Print } from "../print/print.ts";
import { formatAge, formatBytes } from "../print/size_text.ts";
import { colourByState, shortStateText } from "../print/status_text.ts";
import type { SortKey, TopJob } from "./job_samples.ts";

/** The state of the view. */
export interface View {
  readonly sort: SortKey;
  /** The number of jobs above the first shown one. */
  readonly offset: number;
  /** A sentence about the connection, or empty. */
  readonly note: string;
}

/** The lines above the jobs: the head of the screen and that of the table. */
export const HEAD_LINES = 2;

/** Below this width, columns are one cell apart. */
const NARROW = 60;

/** The columns that go first when there is no room. */
const DISPENSABLE = ["COMMAND", "AGE", "MEMORY", "STATE"];
const MIN_LINE = 12;
const MAX_NAME = 16;
const MAX_COMMAND = 24;

/** The characters of an id that are shown. They are its millisecond. */
const ID_LENGTH = 13;

/** Returns the lines of a screen, as many as it has rows at most. */
export function screenLines(print: Print, jobs: readonly TopJob[], view: View, size: TerminalSize): string[] {
  const shown = jobs.slice(view.offset, view.offset + Math.max(0, size.rows - HEAD_LINES));
  const [head = "", ...lines] = topTable(print, shown, size.columns);
  const keys = `${jobs.length} job${jobs.length === 1 ? "" : "s"} by ${view.sort}  q quit, s sort, j k scroll`;
  const first = view.note === "" ? keys : print.styled("yellow", escapeTerminal(view.note));
  return [first, print.styled("bold", head), ...lines].slice(0, size.rows).map((line) =>
    cutToCells(line, size.columns)
  );
}

/**
 * Returns the lines of the table, with its head.
 *
 * @param width the cells of a line. Absent: nothing is cut
 */
export function topTable(print: Print, jobs: readonly TopJob[], width = Infinity): string[] {
  const gap = width < NARROW ? 1 : 2;
  const cut = (text: string, max: number) => width === Infinity ? text : cutToCells(text, max);
  let columns: [string, (job: TopJob) => string][] = [
    ["JOB", ({ status: { id, name } }) => cut(escapeTerminal(name === "" ? id.slice(0, ID_LENGTH) : name), MAX_NAME)],
    ["STATE", ({ status }) => colourByState(print, status, shortStateText(status))],
    ["AGE", ({ status: { registered_at } }) => ageText(registered_at?.seconds)],
    ["CPU", ({ cpuPercent }) => cpuPercent === undefined ? "" : `${Math.round(cpuPercent)}%`],
    ["MEMORY", ({ memoryBytes }) => memoryBytes === undefined ? "" : formatBytes(memoryBytes)],
    ["COMMAND", ({ status }) => cut(commandStart(status, 200), MAX_COMMAND)],
    ["LAST LINE", ({ lastLine }) => lastLine],
  ];
  for (const head of DISPENSABLE) {
    const fixed = columns.slice(0, -1);
    const widths = fixed.map(([head, cell]) => Math.max(cellWidth(head), ...jobs.map((job) => cellWidth(cell(job)))));
    if (widths.reduce((sum, one) => sum + one + gap, MIN_LINE) <= width) break;
    columns = columns.filter(([name]) => name !== head);
  }
  const rows = [columns.map(([head]) => head), ...jobs.map((job) => columns.map(([, cell]) => cell(job)))];
  const right = columns.flatMap(([head], index) => head === "CPU" || head === "MEMORY" ? [index] : []);
  return formatColumns(rows, { gap, right }).split("\n").map((line) => cut(line, width));
}

function ageText(seconds: number | undefined): string {
  return seconds === undefined ? "" : formatAge(Date.now() - seconds * 1_000);
}
