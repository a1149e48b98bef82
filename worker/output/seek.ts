/** Finds the position at which to start reading: by lines or bytes from the end, or by time. Reads only a part. */
import { OutputUnavailableError } from "../storage_errors.ts";
import { loopTurn } from "../loop_turns.ts";
import type { LogPosition } from "./cursor.ts";
import {
  decodeFrame,
  decodeFrameHeader,
  findFrame,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  type FrameHeader,
  frameStartBefore,
  offsetsAfter,
  type Stream,
} from "./frame.ts";
import { type LogReader, READ_BYTES } from "./reader.ts";

const NEWLINE = 10;

/** The point at which to start reading. */
export interface StartPoint {
  readonly position: LogPosition;
  /** The bytes to skip in the first selected frame. */
  readonly skipBytes: number;
}

/** The part of a log to search. */
export interface SearchRange {
  readonly start: LogPosition;
  readonly end: LogPosition;
  /** The stream to count. Undefined for both. */
  readonly stream?: Stream | undefined;
  readonly signal: AbortSignal;
}

interface FoundFrame {
  readonly header: FrameHeader;
  readonly payload: Uint8Array;
  readonly position: LogPosition;
}

/** Yields the frames before the end, the newest first, down to the start or to the start of the log. */
async function* backwards(
  reader: LogReader,
  { start, end, signal }: SearchRange,
): AsyncGenerator<FoundFrame, void, void> {
  const { identity, fileStarts } = reader;
  for (const [index, fileStart] of [...fileStarts.entries()].reverse()) {
    const bottom = Math.max(fileStart, start.position);
    let top = Math.min(end.position, fileStarts[index + 1] ?? Infinity);
    while (top > bottom) {
      // A log may have gigabytes, and these reads are synchronous.
      await loopTurn();
      signal.throwIfAborted();
      const from = Math.max(bottom, top - READ_BYTES);
      const bytes = await reader.bytes(from, top - from);
      if (bytes === undefined) return; // The log starts later now.
      let at = bytes.length;
      for (let before = frameStartBefore(bytes, at, identity); before !== undefined;) {
        const frame = decodeFrame(bytes, before, identity);
        if (frame === undefined || frame === "damaged") throw new OutputUnavailableError(reader.id);
        const position = { position: from + before, offsets: frame.offsets };
        yield { header: frame, payload: frame.payload, position };
        at = before;
        before = frameStartBefore(bytes, at, identity);
      }
      if (at === bytes.length) throw new OutputUnavailableError(reader.id); // A whole frame always ends here.
      top = from + at;
    }
  }
}

/** Finds the start of the last lines of the selected output. A last line need not end with a newline. */
export async function lastLines(reader: LogReader, count: number, range: SearchRange): Promise<StartPoint> {
  if (count === 0) return { position: range.end, skipBytes: 0 };
  let newlines = 0;
  let isNewest = true;
  return await fromEnd(reader, range, (payload) => {
    let at = payload.length;
    // A newline at the end of the output ends the last line and begins no other.
    if (isNewest && payload[at - 1] === NEWLINE) at -= 1;
    isNewest = false;
    while ((at = at === 0 ? -1 : payload.lastIndexOf(NEWLINE, at - 1)) >= 0) {
      newlines += 1;
      if (newlines === count) return at + 1;
    }
    return undefined;
  });
}

/** Finds the start of the last bytes of the selected output. */
export async function lastBytes(reader: LogReader, count: number, range: SearchRange): Promise<StartPoint> {
  if (count === 0) return { position: range.end, skipBytes: 0 };
  let left = count;
  return await fromEnd(reader, range, ({ length }) => {
    if (length >= left) return length - left;
    left -= length;
    return undefined;
  });
}

/**
 * Finds a start point in the selected frames, from the newest on.
 *
 * @param startIn returns the bytes to skip in a payload; undefined to look at the frame before
 */
async function fromEnd(
  reader: LogReader,
  range: SearchRange,
  startIn: (payload: Uint8Array) => number | undefined,
): Promise<StartPoint> {
  let oldest: StartPoint = { position: range.start, skipBytes: 0 };
  for await (const frame of backwards(reader, range)) {
    oldest = { position: frame.position, skipBytes: 0 };
    if (range.stream !== undefined && frame.header.stream !== range.stream) continue;
    const skipBytes = startIn(frame.payload);
    if (skipBytes === undefined) continue;
    if (skipBytes < frame.header.length) return { position: frame.position, skipBytes };
    return { position: positionAfter(frame), skipBytes: 0 };
  }
  return oldest;
}

function positionAfter({ header, position: { position } }: FoundFrame): LogPosition {
  return { position: position + header.length + FRAME_OVERHEAD_BYTES, offsets: offsetsAfter(header) };
}

/**
 * Finds the position after the last frame that was read from the job before a time. So no frame after the position is
 * earlier, even when the clock went back.
 *
 * @param timeMs the time, in milliseconds since 1970
 * @param end the position at which to end
 */
export async function firstSince(
  reader: LogReader,
  timeMs: number,
  end: LogPosition,
  signal: AbortSignal,
): Promise<LogPosition> {
  if ((await lastHeader(reader, end))?.isUnordered === true) {
    for await (const frame of backwards(reader, { start: reader.start, end, signal })) {
      if (frame.header.timeMs < timeMs) return positionAfter(frame);
      if (!frame.header.isUnordered) break; // Times only grow up to here.
    }
  }
  return await firstOrdered(reader, timeMs, end);
}

/** Returns the header of the last frame before the end, even when its payload is damaged or cut off. */
async function lastHeader(reader: LogReader, end: LogPosition): Promise<FrameHeader | undefined> {
  const { identity, fileStarts } = reader;
  const fileStart = fileStarts.findLast((start) => start < end.position) ?? end.position;
  const from = Math.max(fileStart, end.position - READ_BYTES);
  if (from >= end.position) return undefined; // The log is empty up to there, and may have no file.
  const bytes = await reader.bytes(from, end.position - from);
  let found = bytes && findFrame(bytes, 0, identity);
  let last = found;
  while (bytes !== undefined && found !== undefined) {
    last = found;
    found = findFrame(bytes, found.at + FRAME_HEADER_BYTES, identity);
  }
  return last?.header;
}

/** Finds the same as `firstSince` by binary search, where times only grow. */
async function firstOrdered(reader: LogReader, timeMs: number, end: LogPosition): Promise<LogPosition> {
  const { identity } = reader;
  // The last file that begins before the time holds it, or the next file begins with it.
  let low = reader.start.position;
  for (const fileStart of reader.fileStarts) {
    if (fileStart >= end.position) break;
    const header = await headerAt(reader, fileStart);
    if (header === undefined || header.timeMs >= timeMs) break;
    low = fileStart;
  }
  const nextFile = reader.fileStarts.find((fileStart) => fileStart > low);
  let high = Math.min(end.position, nextFile ?? Infinity);
  while (high - low > READ_BYTES) {
    const middle = low + Math.floor((high - low) / 2);
    const bytes = await reader.bytes(middle, READ_BYTES);
    const found = bytes && findFrame(bytes, 0, identity);
    if (found !== undefined && middle + found.at < high && found.header.timeMs < timeMs) low = middle + found.at;
    else high = middle;
  }
  return await firstForwards(reader, low, timeMs, end);
}

/** Finds the same as `firstOrdered` forwards from the start of a frame. Reads one block, or two. */
async function firstForwards(
  reader: LogReader,
  from: number,
  timeMs: number,
  end: LogPosition,
): Promise<LogPosition> {
  let position = from;
  while (position < end.position) {
    const bytes = await reader.bytes(position, end.position - position);
    if (bytes === undefined) return reader.start; // The log starts later now, and the rest of it is newer.
    let at = 0;
    while (true) {
      const header = decodeFrameHeader(bytes, at, reader.identity);
      if (header === undefined) break;
      if (header.timeMs >= timeMs) return { position: position + at, offsets: header.offsets };
      at += header.length + FRAME_OVERHEAD_BYTES;
    }
    if (at === 0) throw new OutputUnavailableError(reader.id);
    position += at;
  }
  return end;
}

async function headerAt(reader: LogReader, position: number): Promise<FrameHeader | undefined> {
  const bytes = await reader.bytes(position, FRAME_HEADER_BYTES);
  return bytes && decodeFrameHeader(bytes, 0, reader.identity);
}
