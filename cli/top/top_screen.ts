/** The screen of `teleport top`: lines that fit the terminal. */
import { cutToCells, formatColumns } from "../../text/columns.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { MIN_LENGTH } from "../follow/short_ids.ts";
import type { TerminalSize } from "../io.ts";
import { cellsOf, type Column, fitColumns } from "../print/fit_columns.ts";
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

/** The columns that are left out when there is no room, the first of them first. */
const DISPENSABLE = ["COMMAND", "AGE", "MEMORY", "STATE"];
const MIN_LINE = 12;
const MAX_NAME = 16;
const MAX_COMMAND = 24;

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
  const all: Column<TopJob>[] = [
    {
      head: "JOB",
      cell: ({ status: { id, name } }) => cut(escapeTerminal(name === "" ? id.slice(0, MIN_LENGTH) : name), MAX_NAME),
    },
    { head: "STATE", cell: ({ status }) => colourByState(print, status, shortStateText(status)) },
    { head: "AGE", cell: ({ status: { registered_at } }) => ageText(registered_at?.seconds) },
    { head: "CPU", cell: ({ cpuPercent }) => cpuPercent === undefined ? "" : `${Math.round(cpuPercent)}%` },
    { head: "MEMORY", cell: ({ memoryBytes }) => memoryBytes === undefined ? "" : formatBytes(memoryBytes) },
    { head: "COMMAND", cell: ({ status }) => cut(commandStart(status, 200), MAX_COMMAND) },
    { head: "LAST LINE", cell: ({ lastLine }) => lastLine },
  ];
  const columns = fitColumns(all, jobs, { dispensable: DISPENSABLE, width, gap, minLast: MIN_LINE });
  const right = columns.flatMap(({ head }, index) => head === "CPU" || head === "MEMORY" ? [index] : []);
  return formatColumns(cellsOf(columns, jobs), { gap, right }).split("\n").map((line) => cut(line, width));
}

function ageText(seconds: number | undefined): string {
  return seconds === undefined ? "" : formatAge(Date.now() - seconds * 1_000);
}
