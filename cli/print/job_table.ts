/** Tables of jobs for people: as many columns as the terminal has room for, and all of them in a pipe. */
import type { JobStatus, Timestamp } from "../../proto/teleport/v1/job_worker.ts";
import { cutToCells, formatColumns } from "../../text/columns.ts";
import { escapeTerminal, formatCommand } from "../../text/escape_terminal.ts";
import { cellsOf, type Column, fitColumns } from "./fit_columns.ts";
import { rfc3339 } from "./message_json.ts";
import type { Print } from "./print.ts";
import { formatAge, formatBytes } from "./size_text.ts";
import { colourByState, isFinal, shortStateText } from "./status_text.ts";

/** The form of a table. */
export interface JobTableOptions {
  /** Returns the shown part of a job's id. */
  readonly shortId: (id: string) => string;
  /** The time now, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The cells of a line. Undefined: nothing is cut or left out. */
  readonly width?: number | undefined;
  /** True shows all columns. */
  readonly isWide?: boolean;
  /** True shows timestamps in place of ages. */
  readonly isAbsolute?: boolean;
}

/** A column of jobs. */
interface JobColumn extends Column<JobStatus> {
  /** True leaves the column out when all its cells are empty. */
  readonly mayBeEmpty?: boolean;
}

/** The columns that are left out when there is no room, the first of them first. */
const DISPENSABLE = ["OWNER", "LABELS", "STARTED", "RAN", "AGE", "REGISTERED", "NAME"];

const GAP = 2;
/** The least room for the command before another column is left out, in cells. */
const MIN_COMMAND = 12;
/** The most room for labels and for a name on a terminal, in cells. */
const MAX_LABELS = 30;
const MAX_NAME = 24;

/** Returns the lines of a table, with its head. */
export function jobTable(print: Print, jobs: readonly JobStatus[], options: JobTableOptions): string[] {
  const { width, isWide = false } = options;
  const isCut = width !== undefined && !isWide;
  const columns = columnsOf(print, options).filter(({ cell, mayBeEmpty }) =>
    !(isCut && mayBeEmpty) || jobs.some((job) => cell(job) !== "")
  );
  const linesOf = (shown: readonly JobColumn[]) => formatColumns(cellsOf(shown, jobs), { gap: GAP }).split("\n");
  if (!isCut) return linesOf(columns);
  const room = { dispensable: DISPENSABLE, width, gap: GAP, minLast: MIN_COMMAND };
  return linesOf(fitColumns(columns, jobs, room)).map((line) => cutToCells(line, width));
}

function columnsOf(print: Print, { shortId, nowMs, width, isWide, isAbsolute }: JobTableOptions): JobColumn[] {
  const isCut = width !== undefined && !isWide;
  const cut = (text: string, max: number) => isCut ? cutToCells(text, max) : text;
  const time = (time: Timestamp | null) => time === null ? "" : rfc3339({ ...time, nanos: 0 });
  const age = (time: Timestamp | null) => time === null ? "" : formatAge(nowMs - millis(time));
  return [
    { head: "ID", cell: (job) => escapeTerminal(shortId(job.id)) },
    { head: "NAME", cell: (job) => cut(escapeTerminal(job.name), MAX_NAME), mayBeEmpty: true },
    { head: "STATE", cell: (job) => colourByState(print, job, shortStateText(job)) },
    { head: "OWNER", cell: (job) => cut(escapeTerminal(job.owner), MAX_NAME) },
    ...isWide ? [{ head: "PID", cell: (job: JobStatus) => job.pid === 0 ? "" : `${job.pid}` }] : [],
    isAbsolute
      ? { head: "REGISTERED", cell: (job) => time(job.registered_at) }
      : { head: "AGE", cell: (job) => age(job.registered_at) },
    ...isAbsolute ? [{ head: "STARTED", cell: (job: JobStatus) => time(job.started_at) }] : [],
    { head: "RAN", cell: (job) => ranText(job, nowMs), mayBeEmpty: true },
    ...isWide
      ? [
        { head: "OUTPUT", cell: (job: JobStatus) => formatBytes(job.stdout_bytes + job.stderr_bytes) },
        { head: "MEMORY", cell: memoryText },
      ]
      : [],
    { head: "LABELS", cell: (job) => cut(labelsText(job), MAX_LABELS), mayBeEmpty: true },
    { head: "COMMAND", cell: (job) => isCut ? commandStart(job, width) : formatCommand(job.command, job.args) },
  ];
}

/** Returns how long a job ran, or has run. Empty when it was not started, or when nobody knows when it ended. */
export function ranText(job: JobStatus, nowMs: number): string {
  if (job.started_at === null) return "";
  if (job.ended_at === null && isFinal(job.state)) return "";
  const endMs = job.ended_at === null ? nowMs : millis(job.ended_at);
  return formatAge(endMs - millis(job.started_at));
}

function memoryText({ usage }: JobStatus): string {
  const bytes = usage?.memory_bytes ?? usage?.peak_memory_bytes;
  return bytes === undefined ? "" : formatBytes(bytes);
}

function labelsText({ labels }: JobStatus): string {
  return Object.entries(labels).map(([key, value]) => escapeTerminal(`${key}=${value}`)).join(",");
}

/** Formats the beginning of a command. The arguments are cut first, because escaping a megabyte of them takes long. */
export function commandStart({ command, args }: JobStatus, width: number): string {
  return formatCommand(command.slice(0, width), args.slice(0, width).map((argument) => argument.slice(0, width)));
}

function millis({ seconds, nanos }: Timestamp): number {
  return seconds * 1_000 + nanos / 1_000_000;
}
