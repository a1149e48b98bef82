/** Chunks of output as readers get them. A chunk joins consecutive frames of one stream. */
import { formatCursor, type LogPosition } from "./cursor.ts";
import {
  decodeFrame,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  MAX_PAYLOAD_BYTES,
  offsetsAfter,
  type Stream,
} from "./frame.ts";
import type { LogIdentity } from "./log_identity.ts";

/** The longest chunk of joined frames. It is a message size at which gRPC is fast. */
export const MAX_CHUNK_BYTES = 2 * MAX_PAYLOAD_BYTES;

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
 * Frames that are joined are moved together in `bytes`, so that the chunks need no other memory.
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
    const start = at + FRAME_HEADER_BYTES;
    let end = start + first.length;
    let last = first;
    while (!exact) {
      const following = decodeFrame(bytes, last.end, identity);
      if (following === undefined || following === "damaged" || following.stream !== first.stream) break;
      if (following.clockWentBack || end + following.length - start > MAX_CHUNK_BYTES) break;
      bytes.set(following.payload, end);
      end += following.length;
      last = following;
    }
    at = last.end;
    next = { position: from + at, offsets: offsetsAfter(last) };
    chunks.push(chunkOf(first, bytes.subarray(start, end), identity, next));
  }
  return next && { chunks, next };
}

/**
 * Makes a chunk of one frame, or of consecutive frames of one stream.
 *
 * @param next the position after the last frame
 */
export function chunkOf(first: FrameHeader, data: Uint8Array, identity: LogIdentity, next: LogPosition): OutputChunk {
  return {
    stream: first.stream,
    data,
    offset: first.offsets[first.stream],
    time: new Date(first.timeMs),
    clockWentBack: first.clockWentBack,
    cursor: formatCursor(identity, next),
    droppedBytes: 0,
  };
}
