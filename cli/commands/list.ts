/** `teleport list`: prints the jobs one may see, newest first unless asked otherwise. */
import type { Sent } from "../../proto/service.ts";
import type { JobStatus, ListOrder, ListRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { listJobs } from "../follow/list_jobs.ts";
import { rfc3339, statusJson } from "../print/message_json.ts";
import type { Print } from "../print/print.ts";
import { escapeTerminal, printableCommand } from "../../text/escape_terminal.ts";
import { inStateColour, shortStateText } from "../print/status_text.ts";
import { UsageError } from "../../units/usage_error.ts";

/** Which jobs, and how much of each. */
export interface ListOptions {
  readonly request: Sent<ListRequest>;
  /** At most so many jobs. */
  readonly limit: number;
  /** Ids alone. */
  readonly quiet: boolean;
}

/** Characters of a command in the table, so that a line has a chance to fit the screen. */
const MAX_COMMAND_CHARACTERS = 40;

/**
 * Reads `--limit`.
 *
 * @throws {UsageError} when it is no whole number from 1
 */
export function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new UsageError(`Invalid limit "${text}" for --limit: give a whole number from 1 to 999999999`);
  }
  return Number(text);
}

const ORDERS: Readonly<Record<string, ListOrder>> = {
  registered: "LIST_ORDER_REGISTERED",
  started: "LIST_ORDER_STARTED",
  ended: "LIST_ORDER_ENDED",
};

/**
 * Reads `--sort`.
 *
 * @throws {UsageError} when it is no time that jobs have
 */
export function parseOrder(text: string): ListOrder {
  const order = Object.hasOwn(ORDERS, text) ? ORDERS[text] : undefined;
  if (order !== undefined) return order;
  throw new UsageError(`Unknown time "${text}" for --sort: give "registered", "started" or "ended"`);
}

/** Lists the jobs. As JSON or ids alone, a page is printed before the next is asked for. */
export async function list({ calls, print }: Context, options: ListOptions): Promise<number> {
  const rows: string[][] = [];
  for await (const page of listJobs(calls, options.request, options.limit)) {
    for (const job of page) {
      if (print.json) await print.record(statusJson(job));
      else if (options.quiet) await print.line(escapeTerminal(job.id));
      else rows.push(row(print, job));
    }
  }
  if (!print.json && !options.quiet) await print.line(await table(rows));
  return EXIT_CODE.OK;
}

function row(print: Print, job: JobStatus): string[] {
  return [
    escapeTerminal(job.id),
    inStateColour(print, job, shortStateText(job)),
    escapeTerminal(job.owner),
    job.registered_at === null ? "" : rfc3339({ ...job.registered_at, nanos: 0 }),
    // A megabyte of arguments is cut before it is looked at.
    shortened(printableCommand(job.command, shortenedArguments(job.args)), MAX_COMMAND_CHARACTERS),
  ];
}

function shortenedArguments(args: readonly string[]): string[] {
  return args.slice(0, MAX_COMMAND_CHARACTERS).map((argument) => argument.slice(0, MAX_COMMAND_CHARACTERS));
}

function shortened(text: string, maxCharacters: number): string {
  const characters = [...text];
  return characters.length <= maxCharacters ? text : `${characters.slice(0, maxCharacters - 1).join("")}…`;
}

async function table(rows: string[][]): Promise<string> {
  // Only here, for no other command needs it and start-up time counts.
  const { default: Table } = await import("cli-table3");
  const borders = ["top", "bottom", "left", "right"].flatMap((side) => [side, `${side}-mid`, `${side}-left`]);
  const others = ["mid", "mid-mid", "left-mid", "right-mid", "top-right", "bottom-right", "middle"];
  const drawn = new Table({
    head: ["ID", "STATE", "OWNER", "REGISTERED", "COMMAND"],
    chars: Object.fromEntries([...borders, ...others].map((name) => [name, ""])),
    style: { head: [], border: [], "padding-left": 0, "padding-right": 3 },
  });
  drawn.push(...rows);
  return drawn.toString().split("\n").map((line) => line.trimEnd()).join("\n");
}
