/** Gathers what a job writes while the disk is busy with the batch before: copied once, into the form of the file. */
import {
  encodeFrame,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  type FrameHeader,
  type LogIdentity,
  offsetsAfter,
  type Stream,
  type StreamOffsets,
} from "./frame.ts";

/**
 * What may wait for the disk before the job's own writes are held up. One batch gathers while another is written, so a
 * job whose disk is slow holds twice this.
 */
const BATCH_BYTES = 262_144;

/** Buffers kept for the next batch: jobs that write at the same moment are few, and the rest is garbage collected. */
const MAX_SPARE_BUFFERS = 4;

const spare: Uint8Array[] = [];

/** A record in a batch. */
export interface BatchFrame extends FrameHeader {
  /** Where it begins in the batch, and the place right behind it. */
  readonly at: number;
  readonly end: number;
  readonly payload: Uint8Array;
}

interface Gathering {
  readonly stream: Stream;
  readonly timeMs: number;
  readonly at: number;
  length: number;
}

/** Records on their way to the file. Its buffer is used again after `recycle`. */
export class Batch {
  #buffer = spare.pop() ?? new Uint8Array(BATCH_BYTES);
  readonly #gathering: Gathering[] = [];
  #end = 0;

  /**
   * Copies as many of the bytes as fit and returns how many that were. Bytes of the stream that wrote last join its
   * record, up to `maxPayloadBytes`, unless the clock went back since.
   */
  add(stream: Stream, bytes: Uint8Array, timeMs: number, maxPayloadBytes: number): number {
    let taken = 0;
    while (taken < bytes.length) {
      let last = this.#gathering.at(-1);
      const joins = last !== undefined && last.stream === stream && last.length < maxPayloadBytes &&
        timeMs >= last.timeMs;
      // The last record's trailer is written behind it when the batch is framed: its place is kept free.
      const payloadAt = joins ? this.#end : this.#end + FRAME_HEADER_BYTES;
      const room = this.#buffer.length - payloadAt - (FRAME_OVERHEAD_BYTES - FRAME_HEADER_BYTES);
      if (room <= 0) break;
      if (!joins || last === undefined) {
        last = { stream, timeMs, at: this.#end, length: 0 };
        this.#gathering.push(last);
      } else this.#end -= FRAME_OVERHEAD_BYTES - FRAME_HEADER_BYTES;
      const part = bytes.subarray(taken, taken + Math.min(room, maxPayloadBytes - last.length));
      const start = last.at + FRAME_HEADER_BYTES + last.length;
      this.#buffer.set(part, start);
      last.length += part.length;
      taken += part.length;
      this.#end = last.at + last.length + FRAME_OVERHEAD_BYTES;
    }
    return taken;
  }

  /**
   * Writes the records' headers and trailers, and returns the records.
   *
   * @param offsets of the streams before them
   * @param clock the time of the record before them, and whether times went back until then
   */
  frames(salt: LogIdentity, offsets: StreamOffsets, clock: Pick<FrameHeader, "timeMs" | "isUnordered">): BatchFrame[] {
    let before = offsets;
    let { timeMs: lastMs, isUnordered } = clock;
    return this.#gathering.map(({ stream, timeMs, at, length }) => {
      const clockWentBack = timeMs < lastMs;
      isUnordered ||= clockWentBack;
      lastMs = timeMs;
      const header: FrameHeader = { stream, timeMs, clockWentBack, isUnordered, length, offsets: before };
      const end = encodeFrame(this.#buffer, at, salt, header);
      before = offsetsAfter(header);
      const payload = this.#buffer.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length);
      return { ...header, at, end, payload };
    });
  }

  /** The bytes of records that follow each other, as they stand in the file. */
  bytes(records: readonly BatchFrame[]): Uint8Array {
    return this.#buffer.subarray(records[0]?.at ?? 0, records.at(-1)?.end ?? 0);
  }

  /** Gives the buffer back; nothing of the batch may be used any more. */
  recycle(): void {
    if (spare.length < MAX_SPARE_BUFFERS) spare.push(this.#buffer);
    this.#buffer = new Uint8Array();
  }
}
