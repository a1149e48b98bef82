/** The options that select output, as `logs` takes them. */
import type { Sent } from "../../proto/service.ts";
import type { GetOutputRequest } from "../../proto/teleport/v1/job_worker.ts";
import { parseDurationMs } from "../../units/duration.ts";
import { bound, type Moment } from "../../units/moment.ts";
import { DEFAULT_RETRY_FOR_MS } from "../follow/outage.ts";
import { UsageError } from "../../units/usage_error.ts";
import { defined } from "../../base/defined.ts";

/** Options as typed. */
export interface LogsFlags {
  readonly follow?: true;
  readonly tail?: number;
  readonly tailBytes?: number;
  readonly since?: Moment;
  readonly until?: Moment;
  readonly timestamps?: true;
  readonly stdout?: true;
  readonly stderr?: true;
  readonly cursor?: string;
  /** Milliseconds. */
  readonly retryFor?: number;
}

/** Which output to print, and how. */
export interface LogsOptions {
  /** Goes on to the job's end, through outages of the server. */
  readonly follow: boolean;
  readonly selection: Omit<Sent<GetOutputRequest>, "id" | "follow">;
  /** Puts the time before each line. */
  readonly timestamps: boolean;
  /** How long an outage may last, in milliseconds. */
  readonly retryForMs: number;
}

/** What the options ask for. */
export function logsOptions(flags: LogsFlags): LogsOptions {
  const { tail, tailBytes, since, until, cursor } = flags;
  const starts = [tail, tailBytes, cursor].filter((start) => start !== undefined);
  if (starts.length > 1) throw new UsageError("--tail, --tail-bytes and --cursor exclude each other: give one of them");
  // Both together are what neither is.
  const one = flags.stdout !== flags.stderr;
  return {
    follow: flags.follow ?? false,
    timestamps: flags.timestamps ?? false,
    retryForMs: flags.retryFor ?? DEFAULT_RETRY_FOR_MS,
    selection: {
      ...defined({ tail_lines: tail, tail_bytes: tailBytes }),
      ...bound("since", since),
      ...bound("until", until),
      ...defined({ cursor }),
      ...(one ? { stream: flags.stdout ? "STREAM_STDOUT" : "STREAM_STDERR" } : {}),
    },
  };
}

/** Reads a count of lines or bytes. */
export function countParser(name: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new UsageError(`Invalid count "${text}" for ${name}: give a whole number from 0`);
  };
}

/** Reads `--retry-for`: 0s tries nothing again. */
export function parseRetryForMs(text: string): number {
  return parseDurationMs(text, { name: "--retry-for", minMs: 0, maxMs: 24 * 3_600_000 });
}
