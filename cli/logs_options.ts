/** The options that select output, as `logs` takes them. */
import type { LogsOptions } from "./commands/logs.ts";
import { parseDurationMs } from "./duration.ts";
import { bound, type Moment } from "./moment.ts";
import { DEFAULT_RETRY_FOR_MS } from "./outage.ts";
import { UsageError } from "./usage_error.ts";

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
      ...(tail === undefined ? {} : { tail_lines: tail }),
      ...(tailBytes === undefined ? {} : { tail_bytes: tailBytes }),
      ...bound("since", since),
      ...bound("until", until),
      ...(cursor === undefined ? {} : { cursor }),
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
