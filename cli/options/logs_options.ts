/** The options that select output, as `logs` takes them. */
import type { Command } from "commander";
import { defined } from "../../base/defined.ts";
import type { Sent } from "../../proto/service.ts";
import type { GetOutputRequest } from "../../proto/teleport/v1/job_worker.ts";
import { type Moment, momentFields, momentParser } from "../../units/moment.ts";
import { numberParser } from "../../units/number.ts";
import { UsageError } from "../../units/usage_error.ts";
import { DEFAULT_RETRY_FOR_MS } from "../follow/outage.ts";
import { addRetryOption, type RetryFlags } from "./retry_option.ts";

/** The parsed options. */
export interface LogsFlags extends RetryFlags {
  readonly follow?: true;
  readonly tail?: number;
  readonly tailBytes?: number;
  readonly since?: Moment;
  readonly until?: Moment;
  readonly timestamps?: true;
  readonly stdout?: true;
  readonly stderr?: true;
  readonly cursor?: string;
  readonly grep?: string;
  readonly ignoreCase?: true;
  readonly offsets?: true;
}

/** The output to print, and its form. */
export interface LogsOptions {
  /** True follows the output to the job's end, through outages of the server. */
  readonly follow: boolean;
  readonly selection: Omit<Sent<GetOutputRequest>, "id" | "follow">;
  /** True prints the time before each line. */
  readonly timestamps: boolean;
  /** True prints the position in its stream before each line. */
  readonly offsets: boolean;
  /** The longest outage that is bridged, in milliseconds. */
  readonly retryForMs: number;
}

/** @throws {UsageError} when the pattern is empty: it would select everything */
function parsePattern(text: string): string {
  if (text === "") throw new UsageError("--grep needs a pattern: give a regular expression, such as error|warning");
  return text;
}

const COUNT = { notation: "count", min: 0, max: 999_999_999_999_999, allowsLeadingZeros: true } as const;

/** Adds the options to a command. */
export function addLogsOptions(command: Command): Command {
  return addRetryOption(command)
    .option("-f, --follow", "follow the output to the job's end")
    .option("-n, --tail <COUNT>", "only the last lines of the output so far", numberParser("--tail", COUNT))
    .option("--tail-bytes <COUNT>", "only the last bytes of the output so far", numberParser("--tail-bytes", COUNT))
    .option(
      "--since <TIME>",
      "only output written since this time, such as 2026-01-31T12:00:00Z or 10m",
      momentParser("--since"),
    )
    .option("--until <TIME>", "only output written until this time", momentParser("--until"))
    .option(
      "--grep <PATTERN>",
      "only lines that match this regular expression (RE2); the server searches",
      parsePattern,
    )
    .option("--ignore-case", "--grep matches upper and lower case alike")
    .option("--offsets", "print the position of each line in its stream, in bytes")
    .option("-t, --timestamps", "print the time before each line")
    .option("--stdout", "only stdout")
    .option("--stderr", "only stderr")
    .option("--cursor <CURSOR>", "continue after this cursor; --output json prints one with each chunk");
}

/**
 * Returns the output to print.
 *
 * @throws {UsageError} when options exclude each other
 */
export function logsOptions(flags: LogsFlags): LogsOptions {
  const { tail, tailBytes, since, until, cursor } = flags;
  const starts = [tail, tailBytes, cursor].filter((start) => start !== undefined);
  if (starts.length > 1) throw new UsageError("--tail, --tail-bytes and --cursor exclude each other: give one of them");
  if (flags.ignoreCase && flags.grep === undefined) {
    throw new UsageError("--ignore-case needs a pattern: give --grep too");
  }
  // Both flags together mean both streams, as neither does.
  const isOneStream = flags.stdout !== flags.stderr;
  return {
    follow: flags.follow ?? false,
    timestamps: flags.timestamps ?? false,
    offsets: flags.offsets ?? false,
    retryForMs: flags.retryFor ?? DEFAULT_RETRY_FOR_MS,
    selection: {
      ...defined({ tail_lines: tail, tail_bytes: tailBytes }),
      ...momentFields("since", since),
      ...momentFields("until", until),
      ...defined({ cursor, grep: flags.grep, grep_ignore_case: flags.ignoreCase }),
      ...(isOneStream ? { stream: flags.stdout ? "STREAM_STDOUT" : "STREAM_STDERR" } : {}),
    },
  };
}
