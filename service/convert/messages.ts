/** The library's plain data as messages of the wire, and back. */
import {
  InvalidArgumentError,
  type JobEvent,
  type JobFilter,
  type JobOrder,
  type JobStatus,
  type ListOptions,
  type OutputChunk,
  type OutputEnd,
  type OutputSelection,
  type State,
} from "../../mod.ts";
import type { Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { statusFields } from "./job_options.ts";
import { knownValue } from "./known_value.ts";
import { usageMessage } from "./usage.ts";
import { defined } from "../../base/defined.ts";

/** A moment as google.protobuf.Timestamp. */
export function timestamp(time: Date): wire.Timestamp {
  const ms = time.getTime();
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

/** A job's status as a message. */
export function statusMessage(status: JobStatus): Sent<wire.JobStatus> {
  const usage = status.usage ?? status.exitReport?.usage;
  return {
    id: status.id,
    state: `STATE_${status.state}`,
    exit_code: status.exitCode,
    signal: status.signal,
    error: status.error,
    reason: status.reason === undefined ? undefined : `REASON_${status.reason}`,
    command: status.command,
    args: [...status.args],
    cwd: status.cwd,
    labels: { ...status.labels },
    owner: status.owner,
    registered_at: timestamp(status.registeredAt),
    started_at: status.startedAt && timestamp(status.startedAt),
    ended_at: status.endedAt && timestamp(status.endedAt),
    pid: status.pid,
    stopped_by: status.stoppedBy,
    stdout_bytes: status.stdoutBytes,
    stderr_bytes: status.stderrBytes,
    error_code: status.errorCode,
    max_output_bytes: status.outputLimit?.maxBytes,
    output_policy: status.outputLimit && `OUTPUT_POLICY_${status.outputLimit.policy}`,
    dropped_bytes: status.droppedBytes,
    ...statusFields(status),
    usage: usage && usageMessage(usage),
    term_sent_at: status.exitReport?.termSentAt && timestamp(status.exitReport.termSentAt),
    kill_sent_at: status.exitReport?.killSentAt && timestamp(status.exitReport.killSentAt),
    others_ended: status.exitReport?.survivorsEnded,
    others_left: status.exitReport?.survivorsLeft,
    paused: status.paused,
    paused_by: status.pausedBy,
    started_by: status.requestedBy?.startedBy,
    stop_asked_by: status.requestedBy?.stopAskedBy,
    input: status.input !== undefined,
    input_bytes: status.input?.bytes,
    input_closed: status.input?.closed,
    signals: status.requestedBy?.signals?.map(({ by, signal, at }) => ({ by, signal, at: timestamp(at) })),
  };
}

/** Pieces are shared by all watchers at the same place; so are their messages, which the wire then encodes once. */
const outputMessages = new WeakMap<OutputChunk, Sent<wire.JobOutput>>();

/** A piece of output as a message; always the same one for the same piece. */
export function outputMessage(piece: OutputChunk): Sent<wire.JobOutput> {
  // Says where the output begins, as a heartbeat does.
  if (piece.data.length === 0 && piece.droppedBytes === 0) return { cursor: piece.cursor };
  let message = outputMessages.get(piece);
  if (message === undefined) {
    message = {
      data: piece.data,
      stream: piece.stream === "stdout" ? "STREAM_STDOUT" : "STREAM_STDERR",
      offset: piece.offset,
      time: timestamp(piece.time),
      cursor: piece.cursor,
      dropped_bytes: piece.droppedBytes,
      clock_went_back: piece.clockWentBack,
    };
    outputMessages.set(piece, message);
  }
  return message;
}

/** The closing record as a message. */
export function endMessage(end: OutputEnd): Sent<wire.JobOutput> {
  return {
    cursor: end.cursor,
    end: {
      stdout_bytes: end.stdoutBytes,
      stderr_bytes: end.stderrBytes,
      dropped_bytes: end.droppedBytes,
      stdout_sha256: end.stdoutSha256,
      stderr_sha256: end.stderrSha256,
      status: statusMessage(end.status),
    },
  };
}

/** The first and the last second that a google.protobuf.Timestamp may have: years 1 to 9999. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;
const MAX_NANOS = 999_999_999;

/**
 * A moment of the wire as the library has it; undefined where there is none.
 *
 * @throws {InvalidArgumentError} for numbers that are no moment
 */
function dateOf(field: string, time: wire.Timestamp | null): Date | undefined {
  if (time === null) return undefined;
  const { seconds, nanos } = time;
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) {
    throw new InvalidArgumentError(
      `"${field}.seconds" must be an integer from ${MIN_SECONDS} to ${MAX_SECONDS}, got ${seconds}`,
    );
  }
  if (nanos < 0 || nanos > MAX_NANOS) {
    throw new InvalidArgumentError(`"${field}.nanos" must be an integer from 0 to ${MAX_NANOS}, got ${nanos}`);
  }
  return new Date(seconds * 1_000 + nanos / 1_000_000);
}

/** A hundred years: longer than any server has been there, and a moment that a date can hold. */
const MAX_AGE_MS = 3_155_760_000_000;

/**
 * A moment that a request gives, as an age by the clock of this server or else as a time by that of the client.
 *
 * @throws {InvalidArgumentError} when the age or the time is out of range
 */
function momentOf(field: string, ageMs: number | undefined, time: wire.Timestamp | null): Date | undefined {
  return ageMs === undefined ? dateOf(field, time) : new Date(Date.now() - checkAge(`${field}_age_ms`, ageMs));
}

function checkAge(field: string, ageMs: number): number {
  if (ageMs <= MAX_AGE_MS) return ageMs;
  throw new InvalidArgumentError(`"${field}" must be an integer from 0 to ${MAX_AGE_MS}, got ${ageMs}`);
}

/** The output that a request asks for. */
export function selectionOf(request: wire.GetOutputRequest): OutputSelection {
  const stream = streamOf(request.stream);
  const since = momentOf("since", request.since_age_ms, request.since);
  const until = momentOf("until", request.until_age_ms, request.until);
  return {
    follow: request.follow ?? true,
    exact: request.exact_pieces,
    ...(request.cursor === "" ? {} : { cursor: request.cursor }),
    ...defined({ stream, tailLines: request.tail_lines, tailBytes: request.tail_bytes, since, until }),
  };
}

/** A stream of the wire in the library's words; undefined: both. */
function streamOf(stream: wire.Stream): "stdout" | "stderr" | undefined {
  if (knownValue("stream", stream) === "STREAM_STDOUT") return "stdout";
  return stream === "STREAM_STDERR" ? "stderr" : undefined;
}

/** States of the wire in the library's words; what is unspecified is left out. */
export function statesOf(states: readonly wire.State[]): State[] {
  return states.map((state) => knownValue("state", state)).filter((state) => state !== "STATE_UNSPECIFIED")
    .map((state) => state.slice("STATE_".length) as State);
}

/** The jobs that a request asks for, as far as lists and watches have the same fields. */
export function filterOf(request: wire.ListRequest | wire.WatchJobsRequest): JobFilter {
  const { registered_since_age_ms, registered_until_age_ms } = request;
  const registeredSince = momentOf("registered_since", registered_since_age_ms, request.registered_since);
  const registeredUntil = momentOf("registered_until", registered_until_age_ms, request.registered_until);
  return {
    states: statesOf(request.states),
    labels: request.labels,
    ...(request.command === "" ? {} : { command: request.command }),
    ...defined({ registeredSince, registeredUntil }),
  };
}

/** What a list is asked for. Ages stay ages: a page has another moment than the one before, and the same request. */
export function listOptionsOf(request: wire.ListRequest): ListOptions {
  const { registeredSince, registeredUntil, ...filter } = filterOf(request);
  const bounds = {
    ...boundOf(request, "registered_since", registeredSince),
    ...boundOf(request, "registered_until", registeredUntil),
    ...boundOf(request, "ended_since", dateOf("ended_since", request.ended_since)),
    ...boundOf(request, "ended_until", dateOf("ended_until", request.ended_until)),
  };
  return {
    ...filter,
    ...bounds,
    orderBy: ORDERS[knownValue("order", request.order)],
    ascending: request.oldest_first,
    ...(request.page_token === "" ? {} : { pageToken: request.page_token }),
  };
}

const BOUNDS = {
  registered_since: "registeredSince",
  registered_until: "registeredUntil",
  ended_since: "endedSince",
  ended_until: "endedUntil",
} as const;

function boundOf(request: wire.ListRequest, field: keyof typeof BOUNDS, time: Date | undefined): Partial<ListOptions> {
  const ageMs = request[`${field}_age_ms`];
  const name = BOUNDS[field];
  if (ageMs !== undefined) return { [`${name}AgeMs`]: checkAge(`${field}_age_ms`, ageMs) };
  return time === undefined ? {} : { [name]: time };
}

const ORDERS: Readonly<Record<wire.ListOrder, JobOrder>> = {
  LIST_ORDER_UNSPECIFIED: "registeredAt",
  LIST_ORDER_REGISTERED: "registeredAt",
  LIST_ORDER_STARTED: "startedAt",
  LIST_ORDER_ENDED: "endedAt",
};

/** Changes are shared by all who watch; so are their messages, which the wire then encodes once. */
const eventMessages = new WeakMap<JobEvent, Sent<wire.JobEvent>>();

/** An event as a message; always the same one for the same event. */
export function eventMessage(event: JobEvent): Sent<wire.JobEvent> {
  let message = eventMessages.get(event);
  if (message === undefined) {
    message = {
      kind: `JOB_EVENT_KIND_${event.type.toUpperCase() as Uppercase<JobEvent["type"]>}`,
      token: event.token,
      ...("status" in event ? { job: statusMessage(event.status) } : {}),
      ...("at" in event ? { time: timestamp(event.at) } : {}),
      ...("reason" in event ? { reason: `REASON_${event.reason}` as const } : {}),
      ...("by" in event ? { by: event.by } : {}),
    };
    eventMessages.set(event, message);
  }
  return message;
}

/** A sign of life on a quiet watch of many jobs. The watch continues right after the token. */
export function heartbeatEvent(token: string): Sent<wire.JobEvent> {
  return { kind: "JOB_EVENT_KIND_HEARTBEAT", token };
}
