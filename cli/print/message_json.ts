/** Messages as JSON for programs: the names of the fields, enumerations without prefix, no absent fields. */
import type {
  JobEvent,
  JobOutput,
  JobStatus,
  OutputEnd,
  Placement,
  Timestamp,
  Usage,
  UsageSource,
} from "../../proto/teleport/v1/job_worker.ts";
import { optionsJson } from "./option_text.ts";

/** Returns the name of an enumeration's value without its prefix: `STATE_EXITED` becomes `EXITED`. */
export function enumName(value: string): string {
  return value.replace(/^(?:STATE|REASON|STREAM|OUTPUT_POLICY|USAGE_SOURCE|JOB_EVENT_KIND|ISOLATION)_/, "");
}

/** Formats a time as RFC 3339 in UTC, with the digits that it has: `2026-01-31T12:00:00.25Z`. */
export function rfc3339(time: Timestamp): string {
  const seconds = new Date(time.seconds * 1000).toISOString().slice(0, -5);
  const fraction = String(time.nanos).padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** Converts a job's status. It has no fields for absent values, such as the exit code of a running job. Counts are always there. */
export function statusJson(status: JobStatus): Record<string, unknown> {
  const { id, state, command, reason, output_policy, registered_at, started_at, ended_at, pid, signals, ...others } =
    status;
  const { input, input_bytes, input_closed, usage, ...more } = others;
  const { term_sent_at, kill_sent_at, others_ended, others_left, paused, terminal, placement, ...rest } = more;
  return withoutAbsent({
    // First, for people who read a line.
    id,
    state: enumName(state),
    command,
    ...rest,
    ...optionsJson(status),
    ...(input ? { input, input_bytes, input_closed } : {}),
    usage: usage && usageJson(usage),
    term_sent_at: term_sent_at && rfc3339(term_sent_at),
    kill_sent_at: kill_sent_at && rfc3339(kill_sent_at),
    others_ended: others_ended || null,
    others_left: others_left || null,
    paused: paused || null,
    terminal: terminal || null,
    placement: placement && placementJson(placement),
    reason: reason === "REASON_UNSPECIFIED" ? "" : enumName(reason),
    output_policy: output_policy === "OUTPUT_POLICY_UNSPECIFIED" ? "" : enumName(output_policy),
    registered_at: registered_at && rfc3339(registered_at),
    started_at: started_at && rfc3339(started_at),
    ended_at: ended_at && rfc3339(ended_at),
    signals: signals.length === 0 ? null : signals.map(({ at, ...sent }) => ({ ...sent, at: at && rfc3339(at) })),
    // 0 means that the job was never started.
    pid: pid || null,
  });
}

/** Converts the place of a job in an engine. */
function placementJson({ unreachable_since, ...placement }: Placement): Record<string, unknown> {
  return withoutAbsent({ ...placement, unreachable_since: unreachable_since && rfc3339(unreachable_since) });
}

/** Converts resource usage. Unknown figures are left out, because unknown is not 0. */
function usageJson({ cpu_source, memory_source, ...figures }: Usage): Record<string, unknown> {
  const sourceOf = (source: UsageSource) => source === "USAGE_SOURCE_UNSPECIFIED" ? "" : enumName(source);
  return withoutAbsent({ ...figures, cpu_source: sourceOf(cpu_source), memory_source: sourceOf(memory_source) });
}

/**
 * Converts a message of output: a chunk, a gap with its number of missing bytes, or the summary. Bytes become base64,
 * as in the JSON mapping of protobuf.
 */
export function outputJson(output: JobOutput): Record<string, unknown> {
  if (output.end !== null) return withoutAbsent({ cursor: output.cursor, end: endJson(output.end) });
  return withoutAbsent({
    stream: enumName(output.stream),
    offset: output.offset,
    time: output.time && rfc3339(output.time),
    cursor: output.cursor,
    data: output.data.toBase64(),
    dropped_bytes: output.dropped_bytes || null,
    clock_went_back: output.clock_went_back || null,
  });
}

/** Converts the summary. Digests become hexadecimal, as sha256sum(1) prints them. */
function endJson(end: OutputEnd): Record<string, unknown> {
  return withoutAbsent({
    ...end,
    stdout_sha256: end.stdout_sha256.toHex(),
    stderr_sha256: end.stderr_sha256.toHex(),
    status: end.status && statusJson(end.status),
  });
}

/** Converts an event of one of many jobs. */
export function eventJson(event: JobEvent): Record<string, unknown> {
  const { kind, job, time, reason, by, token } = event;
  return withoutAbsent({
    kind: enumName(kind),
    job: job && statusJson(job),
    time: time && rfc3339(time),
    reason: reason === "REASON_UNSPECIFIED" ? "" : enumName(reason),
    by,
    token,
  });
}

function withoutAbsent(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== ""),
  );
}
