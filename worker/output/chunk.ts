/** Chunks of output as readers get them. A chunk joins consecutive frames of one stream. */
import { formatCursor, type LogPosition } from "./cursor.ts";
import { type DecodedFrame, decodeFrame, MAX_PAYLOAD_BYTES, offsetsAfter, type Stream } from "./frame.ts";
import type { LogIdentity } from "./log_identity.ts";
import { joinBytes } from "../../base/join_bytes.ts";

/** A chunk of output. */
export interface OutputChunk {
  readonly stream: Stream;
  /** The bytes as the job wrote them. Empty in a chunk that reports dropped bytes. */
  readonly data: Uint8Array;
  /** The offset of the first byte in its stream. */
  readonly offset: number;
  /** The system time at which the first byte was read from the job. */
  readonly time: Date;
  /** True when the time is earlier than that of the output before it: the clock was set back. */
  readonly clockWentBack: boolean;
  /** The cursor of the position after this chunk. */
  readonly cursor: string;
  /** Bytes of this stream right before `offset` that an output limit dropped; usually 0. */
  readonly droppedBytes: number;
}

/** Consecutive chunks of a log. */
export interface Block {
  readonly chunks: readonly OutputChunk[];
  /** The position after the last chunk. */
  readonly next: LogPosition;
}

/**
 * Decodes the whole frames at the start of `bytes`. An incomplete last frame is left for the next read.
 *
 * @param from the position of the bytes in the log
 * @param exact true to return each frame as a chunk of its own, with its own time
 * @returns undefined when the first frame is not whole or is damaged
 */
export function decodeBlock(
  bytes: Uint8Array,
  from: number,
  identity: LogIdentity,
  exact: boolean,
): Block | undefined {
  const chunks: OutputChunk[] = [];
  let at = 0;
  let next: LogPosition | undefined;
  while (true) {
    const first = decodeFrame(bytes, at, identity);
    if (first === undefined || first === "damaged") break;
    const frames = [first];
    let length = first.length;
    for (let last = first; !exact;) {
      const following = decodeFrame(bytes, last.end, identity);
      if (following === undefined || following === "damaged" || following.stream !== first.stream) break;
      if (following.clockWentBack) break;
      length += following.length;
      if (length > MAX_PAYLOAD_BYTES) break; // Joining would copy a large frame.
      frames.push(following);
      last = following;
    }
    const last = frames.at(-1) ?? first;
    at = last.end;
    next = { position: from + at, offsets: offsetsAfter(last) };
    chunks.push(joinFrames(frames, identity, next));
  }
  return next && { chunks, next };
}

/** A frame from a file or from a batch. */
export type FrameContent = Omit<DecodedFrame, "end">;

/**
 * Joins consecutive frames of one stream into a chunk.
 *
 * @param frames at least one frame
 * @param next the position after the last frame
 */
export function joinFrames(frames: readonly FrameContent[], identity: LogIdentity, next: LogPosition): OutputChunk {
  const [first] = frames;
  if (first === undefined) throw new Error("Cannot make a chunk: there are no frames");
  return {
    stream: first.stream,
    data: frames.length === 1 ? first.payload : joinBytes(frames.map(({ payload }) => payload)),
    offset: first.offsets[first.stream],
    time: new Date(first.timeMs),
    clockWentBack: first.clockWentBack,
    cursor: formatCursor(identity, next),
    droppedBytes: 0,
  };
}
