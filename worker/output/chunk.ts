/** Pieces of output as readers get them: records of the log, those of one stream that follow each other joined. */
import { formatCursor, type LogPosition } from "./cursor.ts";
import {
  type DecodedFrame,
  decodeFrame,
  type LogIdentity,
  MAX_PAYLOAD_BYTES,
  offsetsAfter,
  type Stream,
} from "./frame.ts";

/** A piece of output as a reader gets it. */
export interface OutputChunk {
  readonly stream: Stream;
  /** Raw bytes as the job wrote them; never decoded, cut anywhere. Empty where bytes were dropped. */
  readonly data: Uint8Array;
  /** Of the first byte of data, in its stream. */
  readonly offset: number;
  /** What the clock said when the first byte of data was read from the job. */
  readonly time: Date;
  /** True when that is earlier than the time of the output before it: the clock was set back. */
  readonly clockWentBack: boolean;
  /** Continues right behind this piece. */
  readonly cursor: string;
  /** Bytes of this stream that are missing right before `offset`, for an output limit dropped them; usually 0. */
  readonly droppedBytes: number;
}

/** Pieces that stand one behind the other in the log, and the place behind the last. */
export interface Block {
  readonly chunks: readonly OutputChunk[];
  readonly next: LogPosition;
}

/**
 * Decodes the pieces in bytes that begin with a record at `from`; a record that is not whole is left for the next read.
 * Undefined when not even the first is whole and undamaged.
 *
 * @param exact leaves every record a piece of its own, so that each has its time
 */
export function decodeBlock(bytes: Uint8Array, from: number, salt: LogIdentity, exact: boolean): Block | undefined {
  const pieces: OutputChunk[] = [];
  let at = 0;
  let next: LogPosition | undefined;
  while (true) {
    const first = decodeFrame(bytes, at, salt);
    if (first === undefined || first === "damaged") break;
    const run = [first];
    let length = first.length;
    for (let last = first; !exact;) {
      const following = decodeFrame(bytes, last.end, salt);
      if (following === undefined || following === "damaged" || following.stream !== first.stream) break;
      if (following.clockWentBack) break;
      length += following.length;
      if (length > MAX_PAYLOAD_BYTES) break; // A large record goes out as it is: joining would copy it.
      run.push(following);
      last = following;
    }
    const last = run.at(-1) ?? first;
    at = last.end;
    next = { position: from + at, offsets: offsetsAfter(last) };
    pieces.push(joinFrames(run, salt, next));
  }
  return next && { chunks: pieces, next };
}

/** A record's payload and header, whether it comes from the file or is on its way there. */
export type FrameContent = Omit<DecodedFrame, "end">;

/** Joins records of one stream that follow each other. */
export function joinFrames(
  run: readonly [FrameContent, ...FrameContent[]] | readonly FrameContent[],
  salt: LogIdentity,
  next: LogPosition,
): OutputChunk {
  const [first] = run;
  if (first === undefined) throw new Error("Cannot make a piece of no records");
  return {
    stream: first.stream,
    data: run.length === 1 ? first.payload : joinBytes(run.map(({ payload }) => payload)),
    offset: first.offsets[first.stream],
    time: new Date(first.timeMs),
    clockWentBack: first.clockWentBack,
    cursor: formatCursor(salt, next),
    droppedBytes: 0,
  };
}

/** One array of several, without a copy where there is only one. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
