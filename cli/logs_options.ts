/** The options that select output, as `logs` takes them. */
import type { Timestamp } from "../proto/teleport/v1/job_worker.ts";
import type { LogsOptions } from "./commands/logs.ts";
import { parseDurationMs } from "./duration.ts";
import { DEFAULT_RETRY_FOR_MS } from "./outage.ts";
import { UsageError } from "./usage_error.ts";

/** Options as typed. */
export interface LogsFlags {
  readonly follow?: true;
  readonly tail?: number;
  readonly tailBytes?: number;
  readonly since?: Timestamp;
  readonly until?: Timestamp;
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
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
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

/** A year: whoever looks further back gives a moment. */
const MAX_AGO_MS = 366 * 24 * 3_600_000;

/** RFC 3339, the time of day and the offset both there; seconds may be left out. */
const MOMENT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)$/;

/** Reads a moment: RFC 3339, or a duration before now. */
export function momentParser(name: string): (text: string) => Timestamp {
  return (text) => {
    const ms = MOMENT.test(text) ? Date.parse(text.replace(" ", "T")) : agoMs(text, name);
    if (Number.isNaN(ms)) {
      throw new UsageError(`Invalid time "${text}" for ${name}: there is no such moment`);
    }
    const seconds = Math.floor(ms / 1_000);
    return { seconds, nanos: (ms - seconds * 1_000) * 1_000_000 };
  };
}

function agoMs(text: string, name: string): number {
  if (!/^\d+(d|h|m|s|ms)/.test(text)) {
    throw new UsageError(
      `Invalid time "${text}" for ${name}: give one such as "2026-01-31T12:00:00Z", or "10m" for ten minutes ago`,
    );
  }
  return Date.now() - parseDurationMs(text, { name, minMs: 0, maxMs: MAX_AGO_MS });
}
