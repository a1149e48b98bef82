/** Gathers a job's output while the previous batch is being written. Output is copied once, into the file's format. */
import {
  encodeFrame,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  type FrameHeader,
  MAX_PAYLOAD_BYTES,
  offsetsAfter,
  type Stream,
  type StreamOffsets,
} from "./frame.ts";
import type { LogIdentity } from "./log_identity.ts";

/**
 * The capacity of a batch: a whole read of an enlarged pipe, with its frames. A full batch holds up the job's writes. One
 * batch gathers while another is written, so a job with a slow disk uses twice this memory.
 */
const BATCH_BYTES = 4 * (MAX_PAYLOAD_BYTES + FRAME_OVERHEAD_BYTES);

/** The number of buffers kept for later batches. Few jobs write at the same moment. */
const MAX_SPARE_BUFFERS = 4;

const TRAILER_BYTES = FRAME_OVERHEAD_BYTES - FRAME_HEADER_BYTES;

const spareBuffers: Uint8Array[] = [];

/** A frame in a batch. */
export interface BatchFrame extends FrameHeader {
  /** The offset of the frame in the batch. */
  readonly start: number;
  /** The offset of the byte after the frame. */
  readonly end: number;
  readonly payload: Uint8Array;
}

/** A frame that still grows. Its header and trailer are not written yet. */
interface OpenFrame {
  readonly stream: Stream;
  readonly timeMs: number;
  readonly start: number;
  length: number;
}

/** Frames to be written to the file together. `recycle` gives their buffer to a later batch. */
export class Batch {
  #buffer = spareBuffers.pop() ?? new Uint8Array(BATCH_BYTES);
  readonly #open: OpenFrame[] = [];
  #end = 0;

  /**
   * Copies bytes until the batch is full. Bytes join the last frame when it is of the same stream and the clock did not
   * go back.
   *
   * @param timeMs the time of the read, in milliseconds since 1970
   * @param maxPayloadBytes the longest payload of a frame
   * @returns the number of bytes copied
   */
  add(stream: Stream, bytes: Uint8Array, timeMs: number, maxPayloadBytes: number): number {
    let copied = 0;
    while (copied < bytes.length) {
      let last = this.#open.at(-1);
      const joins = last !== undefined && last.stream === stream && last.length < maxPayloadBytes &&
        timeMs >= last.timeMs;
      // The space after the last payload stays free for its trailer, until more payload moves the trailer.
      const payloadStart = joins ? this.#end : this.#end + FRAME_HEADER_BYTES;
      const room = this.#buffer.length - payloadStart - TRAILER_BYTES;
      if (room <= 0) break;
      if (!joins || last === undefined) {
        last = { stream, timeMs, start: this.#end, length: 0 };
        this.#open.push(last);
      } else this.#end -= TRAILER_BYTES;
      const part = bytes.subarray(copied, copied + Math.min(room, maxPayloadBytes - last.length));
      this.#buffer.set(part, last.start + FRAME_HEADER_BYTES + last.length);
      last.length += part.length;
      copied += part.length;
      this.#end = last.start + last.length + FRAME_OVERHEAD_BYTES;
    }
    return copied;
  }

  /**
   * Writes the headers and trailers, and returns the frames.
   *
   * @param offsets the offsets of the streams before the batch
   * @param clock the time and flag of the frame before the batch
   */
  frames(
    identity: LogIdentity,
    offsets: StreamOffsets,
    clock: Pick<FrameHeader, "timeMs" | "isUnordered">,
  ): BatchFrame[] {
    let before = offsets;
    let { timeMs: lastMs, isUnordered } = clock;
    return this.#open.map(({ stream, timeMs, start, length }) => {
      const clockWentBack = timeMs < lastMs;
      isUnordered ||= clockWentBack;
      lastMs = timeMs;
      const header: FrameHeader = { stream, timeMs, clockWentBack, isUnordered, length, offsets: before };
      const end = encodeFrame(this.#buffer, start, identity, header);
      before = offsetsAfter(header);
      const payload = this.#buffer.subarray(start + FRAME_HEADER_BYTES, start + FRAME_HEADER_BYTES + length);
      return { ...header, start, end, payload };
    });
  }

  /** Returns the bytes of consecutive frames, as they go into the file. */
  bytes(frames: readonly BatchFrame[]): Uint8Array {
    return this.#buffer.subarray(frames[0]?.start ?? 0, frames.at(-1)?.end ?? 0);
  }

  /** Gives the buffer to a later batch. The frames must not be used afterwards. */
  recycle(): void {
    if (spareBuffers.length < MAX_SPARE_BUFFERS) spareBuffers.push(this.#buffer);
    this.#buffer = new Uint8Array();
  }
}
