/** `teleport list`: prints the jobs one may see, newest first. */
import type { JobStatus, State } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { rfc3339, statusJson } from "../message_json.ts";
import type { Print } from "../print.ts";
import { printable, printableCommand } from "../printable.ts";
import { inStateColour, shortStateText } from "../status_text.ts";
import { UsageError } from "../usage_error.ts";

/** Which jobs, and how much of each. */
export interface ListOptions {
  readonly states: readonly State[];
  readonly owner: string;
  readonly labels: Record<string, string>;
  /** At most so many jobs. */
  readonly limit: number;
  /** Ids alone. */
  readonly quiet: boolean;
}

/** Jobs asked for in one call: the server's default, and far below the 4 MB one message carries. */
const PAGE_SIZE = 100;
/** Characters of a command in the table, so that a line has a chance to fit the screen. */
const MAX_COMMAND_CHARACTERS = 40;

const STATES = ["INITIAL", "STARTING", "RUNNING", "STOPPING", "EXITED", "KILLED", "FAILED", "LOST"] as const;

/**
 * Adds the states of one `--state`, one or several with commas between, in upper or lower case.
 *
 * @throws {UsageError} when one is no state
 */
export function addStates(text: string, before: readonly State[] | undefined): State[] {
  return text.split(",").reduce((states, name) => {
    const known = STATES.find((state) => state === name.toUpperCase());
    if (known === undefined) {
      throw new UsageError(`Unknown state "${name}" for --state: give one of ${STATES.join(", ")}`);
    }
    return [...states, `STATE_${known}` as const];
  }, [...before ?? []]);
}

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

/** Lists the jobs. As JSON or ids alone, a page is printed before the next is asked for. */
export async function list(context: Context, options: ListOptions): Promise<number> {
  const { print } = context;
  const rows: string[][] = [];
  for await (const job of jobs(context, options)) {
    if (print.json) await print.record(statusJson(job));
    else if (options.quiet) await print.line(job.id);
    else rows.push(row(print, job));
  }
  if (!print.json && !options.quiet) await print.line(await table(rows));
  return EXIT_CODE.OK;
}

async function* jobs({ calls }: Context, options: ListOptions): AsyncGenerator<JobStatus> {
  let left = options.limit;
  let pageToken = "";
  do {
    const page = await calls.List({
      states: [...options.states],
      owner: options.owner,
      labels: options.labels,
      page_size: Math.min(left, PAGE_SIZE),
      page_token: pageToken,
    }, { deadlineMs: CALL_DEADLINE_MS });
    // No more than was asked for, whatever the server sent.
    yield* page.jobs.slice(0, left);
    left -= page.jobs.length;
    pageToken = page.next_page_token;
  } while (pageToken !== "" && left > 0);
}

function row(print: Print, job: JobStatus): string[] {
  return [
    job.id,
    inStateColour(print, job, shortStateText(job)),
    printable(job.owner),
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
