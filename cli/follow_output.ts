/** Reads a job's output to its end and proves that nothing of it is missing. */
import { createHash, type Hash } from "node:crypto";
import type { JobWorkerClient } from "../proto/service.ts";
import type { JobOutput, OutputEnd } from "../proto/teleport/v1/job_worker.ts";

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

interface Received {
  bytes: number;
  readonly hash: Hash;
}

/**
 * Reads both streams from the first byte, giving each piece to `take` and waiting for it, so that a slow reader slows
 * the server's sending and nothing piles up here. At the end the totals and the SHA-256 of each stream are compared
 * with the closing record.
 *
 * @returns the closing record
 * @throws {OutputMismatchError} when a piece is missing, doubled or altered, or the closing record never came
 */
export async function followOutput(
  calls: Pick<JobWorkerClient, "GetOutput">,
  options: FollowOutputOptions,
  take: (piece: JobOutput) => Promise<void>,
): Promise<OutputEnd> {
  const received = {
    STREAM_STDOUT: { bytes: 0, hash: createHash("sha256") },
    STREAM_STDERR: { bytes: 0, hash: createHash("sha256") },
  };
  const callOptions = options.signal === undefined ? {} : { signal: options.signal };
  for await (const piece of calls.GetOutput({ id: options.id, follow: options.follow }, callOptions)) {
    if (piece.end !== null) {
      verify("stdout", received.STREAM_STDOUT, piece.end.stdout_bytes, piece.end.stdout_sha256);
      verify("stderr", received.STREAM_STDERR, piece.end.stderr_bytes, piece.end.stderr_sha256);
      await take(piece);
      return piece.end;
    }
    if (piece.stream === "STREAM_UNSPECIFIED") {
      throw new OutputMismatchError("The server sent output of no stream: use a client of the server's version");
    }
    const stream = received[piece.stream];
    if (piece.offset !== stream.bytes) {
      throw new OutputMismatchError(
        `Output of job "${options.id}" is not whole: wanted the piece at byte ${stream.bytes}, got ${piece.offset}: ` +
          `read it again with "teleport logs ${options.id}"`,
      );
    }
    stream.hash.update(piece.data);
    stream.bytes += piece.data.length;
    await take(piece);
  }
  throw new OutputMismatchError(
    `Output of job "${options.id}" ended before its closing record: read it again with "teleport logs ${options.id}"`,
  );
}

function verify(name: string, received: Received, wantedBytes: number, wantedSha256: Uint8Array): void {
  if (received.bytes !== wantedBytes) {
    throw new OutputMismatchError(
      `Output is not whole: the job wrote ${wantedBytes} bytes to ${name}, ${received.bytes} arrived: read it again`,
    );
  }
  if (!received.hash.digest().equals(wantedSha256)) {
    throw new OutputMismatchError(`Output was altered on its way: the digest of ${name} differs: read it again`);
  }
}
