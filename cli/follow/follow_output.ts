/** Reads a job's output to its end, through outages of the server, and proves that nothing of it is missing. */
import { createHash, type Hash } from "node:crypto";
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { GetOutputRequest, JobOutput, OutputEnd } from "../../proto/teleport/v1/job_worker.ts";
import { withLaterAges } from "../../units/moment.ts";
import type { Outages } from "./outage.ts";
import { endWhenSilent, HEARTBEAT_MS, MAX_SILENCE_MS } from "./silence.ts";
import { isFinal } from "../print/status_text.ts";

/** The output received is not the output the job wrote. */
export class OutputMismatchError extends Error {
  override readonly name = "OutputMismatchError";
}

/** What to read. */
export interface FollowOutputOptions {
  /** The job and the selection of its output. */
  readonly request: Sent<GetOutputRequest> & { readonly id: string; readonly follow: boolean };
  /** Ends the reading; what the call then rejects with is thrown. */
  readonly signal?: AbortSignal;
  /** Bridges outages of the server, if there are to be. */
  readonly outages?: Outages;
}

/** What has come of one stream. */
interface Received {
  /** The offset of the byte that comes next; undefined before there is one where the reading does not begin at 0. */
  bytes: number | undefined;
  readonly isFromStart: boolean;
  readonly hash: Hash;
  /** Some of it was dropped on the server, so that its digest cannot be had here. */
  hasGap: boolean;
}

/**
 * Reads the selected output, giving each piece to `take` and waiting for it, so that a slow reader slows the server's
 * sending and nothing piles up here. A gap that an output limit made is given too. After an outage it goes on right
 * behind the last piece. At the end the totals of each stream are compared with the closing record, unless a time to end
 * at was asked for; the SHA-256 where all of the stream was read from its first byte and there is one to compare.
 *
 * @returns the closing record
 * @throws {OutputMismatchError} when a piece is missing, doubled or altered, or the closing record never came
 */
export async function followOutput(
  calls: Pick<JobWorkerClient, "GetOutput">,
  options: FollowOutputOptions,
  take: (piece: JobOutput) => Promise<void>,
): Promise<OutputEnd> {
  const { request, signal, outages } = options;
  const received = { STREAM_STDOUT: nothing(request), STREAM_STDERR: nothing(request) };
  let resume = request;
  const beganMs = performance.now();
  while (true) {
    try {
      for await (const piece of read(calls, withLaterAges(resume, performance.now() - beganMs), signal)) {
        await outages?.answered(piece.end !== null || piece.data.length > 0 || piece.dropped_bytes > 0);
        if (piece.end !== null) {
          verifyAll(received, piece.end, request);
          await take(piece);
          return piece.end;
        }
        // A heartbeat. The first comes at once and says where the output begins, so that it is not asked for again: a tail
        // would begin later then.
        if (piece.data.length === 0 && piece.dropped_bytes === 0) {
          if (piece.cursor !== "") resume = behind(request, piece.cursor);
          continue;
        }
        if (piece.stream === "STREAM_UNSPECIFIED") {
          throw new OutputMismatchError("The server sent output of no stream: use a client of the server's version");
        }
        const news = receive(received[piece.stream], piece, request.id);
        // Not behind a gap: that of the other stream comes with the same cursor, and would never be told.
        if (piece.data.length > 0 && piece.cursor !== "") resume = behind(request, piece.cursor);
        if (news !== undefined) await take(news);
      }
    } catch (error) {
      if (outages === undefined || error instanceof OutputMismatchError) throw error;
      await outages.wait(error, signal);
      continue;
    }
    throw new OutputMismatchError(
      `Output of job "${request.id}" ended before its closing record: ` +
        `read it again with "teleport logs ${request.id}"`,
    );
  }
}

/** One call. When following, heartbeats tell a quiet job from a dead connection. */
function read(
  calls: Pick<JobWorkerClient, "GetOutput">,
  request: FollowOutputOptions["request"],
  signal: AbortSignal | undefined,
): AsyncIterable<JobOutput> {
  if (!request.follow) return calls.GetOutput(request, signal === undefined ? {} : { signal });
  return endWhenSilent(
    (signal) => calls.GetOutput({ ...request, heartbeat_ms: HEARTBEAT_MS }, { signal }),
    MAX_SILENCE_MS,
    signal,
  );
}

/** The request that goes on behind a cursor: where to begin is no longer asked. */
function behind(request: FollowOutputOptions["request"], cursor: string): FollowOutputOptions["request"] {
  const { tail_lines: _lines, tail_bytes: _bytes, since: _since, since_age_ms: _age, ...rest } = request;
  return { ...rest, cursor };
}

function isOver({ status }: OutputEnd): boolean {
  return status !== null && isFinal(status.state);
}

/** Whether the reading begins with the first byte. */
function isFromStart({ cursor, since, tail_bytes, tail_lines }: Sent<GetOutputRequest>): boolean {
  return !cursor && !since && tail_bytes === undefined && tail_lines === undefined;
}

function nothing(request: Sent<GetOutputRequest>): Received {
  const fromStart = isFromStart(request);
  return { bytes: fromStart ? 0 : undefined, isFromStart: fromStart, hash: createHash("sha256"), hasGap: false };
}

/** Takes a piece for received; returns what of it is new, undefined where nothing is. */
function receive(stream: Received, piece: JobOutput, id: string): JobOutput | undefined {
  if (piece.dropped_bytes > 0) return receiveGap(stream, piece, id);
  const wanted = stream.bytes ?? piece.offset;
  if (piece.offset !== wanted) {
    throw new OutputMismatchError(
      `Output of job "${id}" is not whole: wanted the piece at byte ${wanted}, got ${piece.offset}: ` +
        `read it again with "teleport logs ${id}"`,
    );
  }
  stream.hash.update(piece.data);
  stream.bytes = wanted + piece.data.length;
  return piece;
}

/** After an outage a gap is told again, from where the last piece ended, and may have grown. */
function receiveGap(stream: Received, gap: JobOutput, id: string): JobOutput | undefined {
  stream.hasGap = true;
  // Where the reading begins is not known yet: the same question asked again may be answered from further on.
  if (stream.bytes === undefined) return gap;
  const { bytes } = stream;
  if (gap.offset < bytes) return undefined;
  if (gap.offset - gap.dropped_bytes > bytes) {
    throw new OutputMismatchError(
      `Output of job "${id}" is not whole: wanted the gap from byte ${bytes}, got one from ` +
        `${gap.offset - gap.dropped_bytes}: read it again with "teleport logs ${id}"`,
    );
  }
  stream.bytes = gap.offset;
  return gap.offset === bytes ? undefined : { ...gap, dropped_bytes: gap.offset - bytes };
}

function verifyAll(
  received: { STREAM_STDOUT: Received; STREAM_STDERR: Received },
  end: OutputEnd,
  request: FollowOutputOptions["request"],
): void {
  if (request.until) return;
  // What a running job wrote since the call is no loss to one who asked for what was there then.
  const mayHaveGrown = !request.follow && !isOver(end);
  const only = request.stream ?? "STREAM_UNSPECIFIED";
  if (only !== "STREAM_STDERR") {
    verify("stdout", received.STREAM_STDOUT, end.stdout_bytes, end.stdout_sha256, mayHaveGrown);
  }
  if (only !== "STREAM_STDOUT") {
    verify("stderr", received.STREAM_STDERR, end.stderr_bytes, end.stderr_sha256, mayHaveGrown);
  }
}

function verify(
  name: string,
  received: Received,
  wantedBytes: number,
  wantedSha256: Uint8Array,
  mayHaveGrown: boolean,
): void {
  // Nothing of it was among what was asked for.
  if (received.bytes === undefined) return;
  const { bytes } = received;
  if (mayHaveGrown && bytes < wantedBytes) return;
  if (bytes !== wantedBytes) {
    throw new OutputMismatchError(
      `Output is not whole: the job wrote ${wantedBytes} bytes to ${name}, ${bytes} arrived: read it again`,
    );
  }
  // A crash of the server may have left the digest unknown to it.
  if (!received.isFromStart || received.hasGap || wantedSha256.length === 0) return;
  if (!received.hash.digest().equals(wantedSha256)) {
    throw new OutputMismatchError(`Output was altered on its way: the digest of ${name} differs: read it again`);
  }
}
