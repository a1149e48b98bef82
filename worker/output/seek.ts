/** Finds where to begin in a log without reading it from its start: by lines or bytes from the end, and by time. */
import { loopTurn } from "../loop_turns.ts";
import type { LogPosition } from "./cursor.ts";
import { OutputUnavailableError } from "../storage_errors.ts";
import { type OutputLog, READ_BYTES } from "./log.ts";
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

const NEWLINE = 10;

/** A place to begin at, and how many bytes of the first selected record are before it. */
export interface StartPoint {
  readonly place: LogPosition;
  readonly skipBytes: number;
}

/** A record met on the way back. */
interface Met {
  readonly header: FrameHeader;
  readonly payload: Uint8Array;
  readonly place: LogPosition;
}

/** Yields the records before `end`, the last first, down to `start` or to where the log begins by then. */
async function* backwards(
  log: OutputLog,
  start: LogPosition,
  end: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<Met, void, void> {
  const { identity: salt } = log.segments;
  for (const { start: base } of [...log.segments.all].reverse()) {
    const bottom = Math.max(base, start.position);
    const next = log.segments.all.find((segment) => segment.start > base);
    let top = Math.min(end.position, next?.start ?? Infinity);
    while (top > bottom) {
      // The log may have gigabytes, and reading it does not wait for anything.
      await loopTurn();
      signal.throwIfAborted();
      const from = Math.max(bottom, top - READ_BYTES);
      const bytes = await log.bytes(from, top - from);
      if (bytes === undefined) return; // Dropped meanwhile: the log begins later now.
      let at = bytes.length;
      for (let before = frameStartBefore(bytes, at, salt); before !== undefined;) {
        const record = decodeFrame(bytes, before, salt);
        if (record === undefined || record === "damaged") throw new OutputUnavailableError(log.id);
        yield { header: record, payload: record.payload, place: { position: from + before, offsets: record.offsets } };
        at = before;
        before = frameStartBefore(bytes, at, salt);
      }
      if (at === bytes.length) throw new OutputUnavailableError(log.id); // A record always ends here, and fits.
      top = from + at;
    }
  }
}

/** Where the last `count` lines of the selected output before `end` begin. A last line needs no newline. */
export async function lastLines(
  log: OutputLog,
  count: number,
  stream: Stream | undefined,
  start: LogPosition,
  end: LogPosition,
  signal: AbortSignal,
): Promise<StartPoint> {
  if (count === 0) return { place: end, skipBytes: 0 };
  let newlines = 0;
  let first = true;
  let last: StartPoint = { place: start, skipBytes: 0 };
  for await (const { header, payload, place } of backwards(log, start, end, signal)) {
    last = { place, skipBytes: 0 };
    if (stream !== undefined && header.stream !== stream) continue;
    let at = payload.length;
    // The newline that ends the output ends its last line and begins no other.
    if (first && payload[at - 1] === NEWLINE) at -= 1;
    first = false;
    while ((at = at === 0 ? -1 : payload.lastIndexOf(NEWLINE, at - 1)) >= 0) {
      newlines += 1;
      if (newlines === count) return behind(header, place, at + 1);
    }
  }
  return last;
}

/** Where the last `count` bytes of the selected output before `end` begin. */
export async function lastBytes(
  log: OutputLog,
  count: number,
  stream: Stream | undefined,
  start: LogPosition,
  end: LogPosition,
  signal: AbortSignal,
): Promise<StartPoint> {
  if (count === 0) return { place: end, skipBytes: 0 };
  let left = count;
  let last: StartPoint = { place: start, skipBytes: 0 };
  for await (const { header, place } of backwards(log, start, end, signal)) {
    last = { place, skipBytes: 0 };
    if (stream !== undefined && header.stream !== stream) continue;
    if (header.length >= left) return behind(header, place, header.length - left);
    left -= header.length;
  }
  return last;
}

/** A place within a record; where that is its end, the place behind it. */
function behind(header: FrameHeader, place: LogPosition, skipBytes: number): StartPoint {
  if (skipBytes < header.length) return { place, skipBytes };
  return { place: placeBehind(header, place), skipBytes: 0 };
}

function placeBehind(header: FrameHeader, place: LogPosition): LogPosition {
  return { position: place.position + header.length + FRAME_OVERHEAD_BYTES, offsets: offsetsAfter(header) };
}

/**
 * Finds the place behind the last record before `end` that was read earlier than `timeMs`. So nothing behind the place was
 * read earlier, also where the clock went back.
 */
export async function firstSince(
  log: OutputLog,
  timeMs: number,
  end: LogPosition,
  signal: AbortSignal,
): Promise<LogPosition> {
  if ((await lastHeader(log, end))?.isUnordered === true) {
    for await (const { header, place } of backwards(log, log.start, end, signal)) {
      if (header.timeMs < timeMs) return placeBehind(header, place);
      if (!header.isUnordered) break; // Up to here times only grow.
    }
  }
  return await firstOrdered(log, timeMs, end);
}

/** The header of the last record before `end`, which is there also where a crash or damage cut its payload. */
async function lastHeader(log: OutputLog, end: LogPosition): Promise<FrameHeader | undefined> {
  const { all, identity: salt } = log.segments;
  const base = all.findLast((segment) => segment.start < end.position)?.start ?? end.position;
  const from = Math.max(base, end.position - READ_BYTES);
  const bytes = await log.bytes(from, end.position - from);
  let found = bytes && findFrame(bytes, 0, salt);
  let last = found;
  while (bytes !== undefined && found !== undefined) {
    last = found;
    found = findFrame(bytes, found.at + FRAME_HEADER_BYTES, salt);
  }
  return last?.header;
}

/** As `firstSince`, by halving. */
async function firstOrdered(log: OutputLog, timeMs: number, end: LogPosition): Promise<LogPosition> {
  const { identity: salt } = log.segments;
  // The last file that begins before the time holds it, or the next one begins with it.
  let low = log.start.position;
  for (const { start: base } of log.segments.all) {
    if (base >= end.position) break;
    const header = await headerAt(log, base);
    if (header === undefined || header.timeMs >= timeMs) break;
    low = base;
  }
  const next = log.segments.all.find(({ start: base }) => base > low);
  let high = Math.min(end.position, next?.start ?? Infinity);
  while (high - low > READ_BYTES) {
    const middle = low + Math.floor((high - low) / 2);
    const bytes = await log.bytes(middle, READ_BYTES);
    const found = bytes && findFrame(bytes, 0, salt);
    if (found !== undefined && middle + found.at < high && found.header.timeMs < timeMs) low = middle + found.at;
    else high = middle;
  }
  return await firstFrom(log, low, timeMs, end);
}

/** As `firstOrdered`, going forwards from where a record begins: over one block, or two. */
async function firstFrom(log: OutputLog, from: number, timeMs: number, end: LogPosition): Promise<LogPosition> {
  let position = from;
  while (position < end.position) {
    const bytes = await log.bytes(position, end.position - position);
    if (bytes === undefined) return log.start; // Dropped meanwhile: all that is left is newer.
    let at = 0;
    while (true) {
      const header = decodeFrameHeader(bytes, at, log.segments.identity);
      if (header === undefined) break;
      if (header.timeMs >= timeMs) return { position: position + at, offsets: header.offsets };
      at += header.length + FRAME_OVERHEAD_BYTES;
    }
    if (at === 0) throw new OutputUnavailableError(log.id);
    position += at;
  }
  return end;
}

async function headerAt(log: OutputLog, position: number): Promise<FrameHeader | undefined> {
  const bytes = await log.bytes(position, FRAME_HEADER_BYTES);
  return bytes && decodeFrameHeader(bytes, 0, log.segments.identity);
}
