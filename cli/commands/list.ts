/** `teleport list`: prints the jobs that the user may see, newest first by default. */
import type { Command } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { JobStatus, ListOrder, ListRequest } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { type Moment, momentFields, momentParser } from "../../units/moment.ts";
import { numberParser } from "../../units/number.ts";
import { UsageError } from "../../units/usage_error.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { listJobs } from "../follow/list_jobs.ts";
import { shortIds } from "../follow/short_ids.ts";
import { addFilterOptions, type FilterFlags, filterOf, isFiltering } from "../options/filter_options.ts";
import { jobTable } from "../print/job_table.ts";
import { statusJson } from "../print/message_json.ts";

/** The parsed options. */
export interface ListFlags extends FilterFlags {
  readonly endedSince?: Moment;
  readonly endedUntil?: Moment;
  readonly sort?: ListOrder;
  readonly reverse?: true;
  readonly limit?: number;
  readonly quiet?: true;
  /** False shows everything in full. */
  readonly trunc?: boolean;
  readonly absolute?: true;
}

/** The greatest value of `--limit`. */
const MAX_LIMIT = 999_999_999;

/** Adds the options that `ps` has too. */
export function addListOptions(command: Command): Command {
  return addFilterOptions(command)
    .option("-q, --quiet", "print only ids")
    .option("--no-trunc", "print ids, labels and commands in full, and every column")
    .option("--absolute", "print times of day in place of ages");
}

export const declare: Declare = (command, runner) => {
  addListOptions(command)
    .option("--ended-since <TIME>", "only jobs that ended since this time", momentParser("--ended-since"))
    .option("--ended-until <TIME>", "only jobs that ended until this time", momentParser("--ended-until"))
    .option("--sort <TIME>", "sort by the time at which they were registered (default), started or ended", parseOrder)
    .option("-r, --reverse", "oldest first")
    .option(
      "-n, --limit <COUNT>",
      "at most this many of the newest; with --reverse, of the oldest",
      numberParser("--limit", { notation: "count", min: 1, max: MAX_LIMIT }),
    )
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

/** Lists the jobs. As data or ids, each page is printed before the call for the next one. */
export async function list({ calls, print }: Context, flags: ListFlags): Promise<number> {
  const jobs: JobStatus[] = [];
  const { limit = Infinity } = flags;
  for await (const page of listJobs(calls, requestOf(flags), limit)) {
    for (const job of page) {
      if (print.isJson) await print.jsonLine(statusJson(job));
      else if (flags.quiet) await print.line(escapeTerminal(job.id));
      else jobs.push(job);
    }
  }
  if (print.isJson || flags.quiet) return EXIT_CODE.OK;
  // In a pipe, programs read the ids.
  const isFull = flags.trunc === false || print.columns === undefined;
  const isComplete = !isFiltering(flags) && limit === Infinity && flags.endedSince === undefined &&
    flags.endedUntil === undefined;
  const shortId = isFull ? (id: string) => id : await shortIds(calls, jobs, { isComplete });
  const lines = jobTable(print, jobs, {
    shortId,
    nowMs: Date.now(),
    width: isFull ? undefined : print.columns,
    isWide: print.format === "wide",
    isAbsolute: flags.absolute ?? false,
  });
  await print.line(lines.join("\n"));
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
