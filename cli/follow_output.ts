/** Reads a job's output to its end and proves that nothing of it is missing. */
import { createHash, type Hash } from "node:crypto";
import type { JobWorkerClient } from "../proto/service.ts";
import type { JobOutput, OutputEnd } from "../proto/teleport/v1/job_worker.ts";
import { isFinal } from "./status_text.ts";

/** The output received is not the output the job wrote. */
export class OutputMismatchError extends Error {
  override readonly name = "OutputMismatchError";
}

/** What to read. */
export interface FollowOutputOptions {
  readonly id: string;
  /** False: only what is there so far. */
  readonly follow: boolean;
  /** Ends the reading; what the call then rejects with is thrown. */
  readonly signal?: AbortSignal;
}

/** What has come of one stream. */
interface Received {
  /** The offset of the byte that comes next. */
  bytes: number;
  readonly hash: Hash;
  /** Some of it was dropped on the server, so that its digest cannot be had here. */
  hasGap: boolean;
}

/**
 * Reads both streams from the first byte, giving each piece to `take` and waiting for it, so that a slow reader slows
 * the server's sending and nothing piles up here. A gap that an output limit made is given too. At the end the totals
 * and the SHA-256 of each stream are compared with the closing record; the SHA-256 only where there is one to compare.
 *
 * @returns the closing record
 * @throws {OutputMismatchError} when a piece is missing, doubled or altered, or the closing record never came
 */
export async function followOutput(
  calls: Pick<JobWorkerClient, "GetOutput">,
  options: FollowOutputOptions,
  take: (piece: JobOutput) => Promise<void>,
): Promise<OutputEnd> {
  const received = { STREAM_STDOUT: nothing(), STREAM_STDERR: nothing() };
  const callOptions = options.signal === undefined ? {} : { signal: options.signal };
  for await (const piece of calls.GetOutput({ id: options.id, follow: options.follow }, callOptions)) {
    if (piece.end !== null) {
      verifyAll(received, piece.end, options.follow);
      await take(piece);
      return piece.end;
    }
    // A sign of life, which says nothing of the output.
    if (piece.data.length === 0 && piece.dropped_bytes === 0) continue;
    if (piece.stream === "STREAM_UNSPECIFIED") {
      throw new OutputMismatchError("The server sent output of no stream: use a client of the server's version");
    }
    receive(received[piece.stream], piece, options.id);
    await take(piece);
  }
  throw new OutputMismatchError(
    `Output of job "${options.id}" ended before its closing record: read it again with "teleport logs ${options.id}"`,
  );
}

function nothing(): Received {
  return { bytes: 0, hash: createHash("sha256"), hasGap: false };
}

function receive(stream: Received, piece: JobOutput, id: string): void {
  const wanted = stream.bytes + piece.dropped_bytes;
  if (piece.offset !== wanted) {
    throw new OutputMismatchError(
      `Output of job "${id}" is not whole: wanted the piece at byte ${wanted}, got ${piece.offset}: ` +
        `read it again with "teleport logs ${id}"`,
    );
  }
  if (piece.dropped_bytes > 0) stream.hasGap = true;
  stream.hash.update(piece.data);
  stream.bytes = wanted + piece.data.length;
}

function verifyAll(
  received: { STREAM_STDOUT: Received; STREAM_STDERR: Received },
  end: OutputEnd,
  follow: boolean,
): void {
  // What a running job wrote since the call is no loss to one who asked for what was there then.
  const mayHaveGrown = !follow && end.status !== null && !isFinal(end.status.state);
  verify("stdout", received.STREAM_STDOUT, end.stdout_bytes, end.stdout_sha256, mayHaveGrown);
  verify("stderr", received.STREAM_STDERR, end.stderr_bytes, end.stderr_sha256, mayHaveGrown);
}

function verify(
  name: string,
  received: Received,
  wantedBytes: number,
  wantedSha256: Uint8Array,
  mayHaveGrown: boolean,
): void {
  if (mayHaveGrown && received.bytes < wantedBytes) return;
  if (received.bytes !== wantedBytes) {
    throw new OutputMismatchError(
      `Output is not whole: the job wrote ${wantedBytes} bytes to ${name}, ${received.bytes} arrived: read it again`,
    );
  }
  // A crash of the server may have left the digest unknown to it.
  if (received.hasGap || wantedSha256.length === 0) return;
  if (!received.hash.digest().equals(wantedSha256)) {
    throw new OutputMismatchError(`Output was altered on its way: the digest of ${name} differs: read it again`);
  }
}
