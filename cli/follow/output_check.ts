/** Checks that a job's output arrives whole: offsets, totals and digests. */
import { createHash, type Hash } from "node:crypto";
import type { Sent } from "../../proto/service.ts";
import type { GetOutputRequest, JobOutput, OutputEnd } from "../../proto/teleport/v1/job_worker.ts";
import { isFinal } from "../print/status_text.ts";

/** The received output is not the output that the job wrote. */
export class OutputMismatchError extends Error {
  override readonly name = "OutputMismatchError";
}

/** The request of the output that is checked. */
export type OutputRequest = Sent<GetOutputRequest> & { readonly id: string; readonly follow: boolean };

/** The received part of one stream. */
interface ReceivedStream {
  /** The offset of the next byte. Undefined before the first byte, when the reading does not begin at 0. */
  bytes: number | undefined;
  readonly isFromStart: boolean;
  readonly hash: Hash;
  /** True when the server dropped a part, so that the digest cannot be computed. */
  hasGap: boolean;
}

/** The check of one reading of output, through all its calls. */
export class OutputCheck {
  readonly #request: OutputRequest;
  readonly #streams: { readonly STREAM_STDOUT: ReceivedStream; readonly STREAM_STDERR: ReceivedStream };

  /** @param request the first call's */
  constructor(request: OutputRequest) {
    this.#request = request;
    this.#streams = { STREAM_STDOUT: nothingReceived(request), STREAM_STDERR: nothingReceived(request) };
  }

  /**
   * Records a chunk or a gap.
   *
   * @returns the new part of it; undefined when there is none
   * @throws {OutputMismatchError} when output before it is missing
   */
  receive(message: JobOutput): JobOutput | undefined {
    if (message.stream === "STREAM_UNSPECIFIED") {
      throw new OutputMismatchError("The server sent output without a stream: use a client of the server's version");
    }
    const stream = this.#streams[message.stream];
    return message.dropped_bytes > 0 ? this.#receiveGap(stream, message) : this.#receiveChunk(stream, message);
  }

  #receiveChunk(stream: ReceivedStream, chunk: JobOutput): JobOutput {
    const wanted = stream.bytes ?? chunk.offset;
    if (chunk.offset !== wanted) {
      throw this.#mismatch(`expected the chunk at byte ${wanted}, got the one at byte ${chunk.offset}`);
    }
    stream.hash.update(chunk.data);
    stream.bytes = wanted + chunk.data.length;
    return chunk;
  }

  /** Records a gap. After an outage the server sends a gap again, from the end of the last chunk, and it may be longer. */
  #receiveGap(stream: ReceivedStream, gap: JobOutput): JobOutput | undefined {
    stream.hasGap = true;
    // The beginning is not known yet. The answer to the same request after an outage may begin later.
    if (stream.bytes === undefined) return gap;
    const { bytes } = stream;
    if (gap.offset < bytes) return undefined;
    const begin = gap.offset - gap.dropped_bytes;
    if (begin > bytes) throw this.#mismatch(`expected the gap from byte ${bytes}, got one from byte ${begin}`);
    stream.bytes = gap.offset;
    return gap.offset === bytes ? undefined : { ...gap, dropped_bytes: gap.offset - bytes };
  }

  #mismatch(difference: string): OutputMismatchError {
    const { id } = this.#request;
    return new OutputMismatchError(
      `Output of job "${id}" is not complete: ${difference}: read it again with "teleport logs ${id}"`,
    );
  }

  /**
   * Compares the totals with the summary, unless the request ended at a time. Compares the SHA-256 of a stream that
   * was read from its first byte, when the server knows it.
   *
   * @throws {OutputMismatchError} when they differ
   */
  verify(end: OutputEnd): void {
    const { until, follow, stream = "STREAM_UNSPECIFIED" } = this.#request;
    if (until) return;
    // Without `follow`, a running job may write more after the call.
    const mayHaveGrown = !follow && !(end.status !== null && isFinal(end.status.state));
    const { STREAM_STDOUT: stdout, STREAM_STDERR: stderr } = this.#streams;
    if (stream !== "STREAM_STDERR") verify("stdout", stdout, end.stdout_bytes, end.stdout_sha256, mayHaveGrown);
    if (stream !== "STREAM_STDOUT") verify("stderr", stderr, end.stderr_bytes, end.stderr_sha256, mayHaveGrown);
  }
}

/** Returns the error of a stream that ended without its summary. */
export function unexpectedEnd(id: string): OutputMismatchError {
  return new OutputMismatchError(
    `Output of job "${id}" ended before its summary: read it again with "teleport logs ${id}"`,
  );
}

function nothingReceived({ cursor, since, tail_bytes, tail_lines }: OutputRequest): ReceivedStream {
  const isFromStart = !cursor && !since && tail_bytes === undefined && tail_lines === undefined;
  return { bytes: isFromStart ? 0 : undefined, isFromStart, hash: createHash("sha256"), hasGap: false };
}

function verify(
  name: string,
  stream: ReceivedStream,
  wantedBytes: number,
  wantedSha256: Uint8Array,
  mayHaveGrown: boolean,
): void {
  // The selected part has nothing of this stream.
  if (stream.bytes === undefined) return;
  const { bytes } = stream;
  if (mayHaveGrown && bytes < wantedBytes) return;
  if (bytes !== wantedBytes) {
    throw new OutputMismatchError(
      `Output is not complete: the job wrote ${wantedBytes} bytes to ${name}, ${bytes} arrived: read it again`,
    );
  }
  // After a crash the server may not know the digest.
  if (!stream.isFromStart || stream.hasGap || wantedSha256.length === 0) return;
  if (!stream.hash.digest().equals(wantedSha256)) {
    throw new OutputMismatchError(`Output was altered on its way: the digest of ${name} differs: read it again`);
  }
}
