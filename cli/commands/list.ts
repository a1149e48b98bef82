/** `teleport list`: prints the jobs that the user may see, newest first by default. */
import type { Command } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { JobStatus, ListOrder, ListRequest } from "../../proto/teleport/v1/job_worker.ts";
import { formatColumns } from "../../text/columns.ts";
import { escapeTerminal, formatCommand } from "../../text/escape_terminal.ts";
import { type Moment, momentFields, momentParser } from "../../units/moment.ts";
import { numberParser } from "../../units/number.ts";
import { UsageError } from "../../units/usage_error.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { listJobs } from "../follow/list_jobs.ts";
import { addFilterOptions, type FilterFlags, filterOf } from "../options/filter_options.ts";
import { rfc3339, statusJson } from "../print/message_json.ts";
import type { Print } from "../print/print.ts";
import { colourByState, shortStateText } from "../print/status_text.ts";

interface ListFlags extends FilterFlags {
  readonly endedSince?: Moment;
  readonly endedUntil?: Moment;
  readonly sort?: ListOrder;
  readonly reverse?: true;
  readonly limit?: number;
  readonly quiet?: true;
}

/** The greatest value of `--limit`. */
const MAX_LIMIT = 999_999_999;

export const declare: Declare = (command, runner) => {
  addFilterOptions(command)
    .option("--ended-since <TIME>", "only jobs that ended since this time", momentParser("--ended-since"))
    .option("--ended-until <TIME>", "only jobs that ended until this time", momentParser("--ended-until"))
    .option("--sort <TIME>", "sort by the time at which they were registered (default), started or ended", parseOrder)
    .option("-r, --reverse", "oldest first")
    .option(
      "-n, --limit <COUNT>",
      "at most this many of the newest; with --reverse, of the oldest",
      numberParser("--limit", { notation: "count", min: 1, max: MAX_LIMIT }),
    )
    .option("-q, --quiet", "print only ids")
    .action(async (flags: ListFlags, self: Command) => {
      await runner.call(self, (context) => list(context, flags));
    });
};

const ORDERS: Readonly<Record<string, ListOrder>> = {
  registered: "LIST_ORDER_REGISTERED",
  started: "LIST_ORDER_STARTED",
  ended: "LIST_ORDER_ENDED",
};

function parseOrder(text: string): ListOrder {
  const order = Object.hasOwn(ORDERS, text) ? ORDERS[text] : undefined;
  if (order !== undefined) return order;
  throw new UsageError(`Unknown time "${text}" for --sort: give "registered", "started" or "ended"`);
}

/** Lists the jobs. As JSON or ids, each page is printed before the call for the next one. */
async function list({ calls, print }: Context, flags: ListFlags): Promise<number> {
  const rows: string[][] = [];
  for await (const page of listJobs(calls, requestOf(flags), flags.limit ?? Infinity)) {
    for (const job of page) {
      if (print.isJson) await print.jsonLine(statusJson(job));
      else if (flags.quiet) await print.line(escapeTerminal(job.id));
      else rows.push(row(print, job));
    }
  }
  if (!print.isJson && !flags.quiet) await print.line(formatColumns([HEAD, ...rows], { gap: 3 }));
  return EXIT_CODE.OK;
}

function requestOf(flags: ListFlags): Sent<ListRequest> {
  return {
    ...filterOf(flags),
    ...momentFields("ended_since", flags.endedSince),
    ...momentFields("ended_until", flags.endedUntil),
    ...(flags.sort === undefined ? {} : { order: flags.sort }),
    oldest_first: flags.reverse ?? false,
  };
}

const HEAD = ["ID", "STATE", "OWNER", "REGISTERED", "COMMAND"];

/** The longest command in the table, in characters. A line should fit the screen. */
const MAX_COMMAND_CHARACTERS = 40;

function row(print: Print, job: JobStatus): string[] {
  return [
    escapeTerminal(job.id),
    colourByState(print, job, shortStateText(job)),
    escapeTerminal(job.owner),
    job.registered_at === null ? "" : rfc3339({ ...job.registered_at, nanos: 0 }),
    shortened(formatCommand(job.command, shortenedArguments(job.args)), MAX_COMMAND_CHARACTERS),
  ];
}

/** Cuts the arguments first, because escaping a megabyte of them takes long. */
function shortenedArguments(args: readonly string[]): string[] {
  return args.slice(0, MAX_COMMAND_CHARACTERS).map((argument) => argument.slice(0, MAX_COMMAND_CHARACTERS));
}

function shortened(text: string, maxCharacters: number): string {
  const characters = [...text];
  return characters.length <= maxCharacters ? text : `${characters.slice(0, maxCharacters - 1).join("")}…`;
}
