/**
 * The file format of a log. A file is a header and then frames:
 *
 * ```text
 * file header, 64 bytes       frame, 48 bytes and the payload
 *  0  "TELEPORT"               0  u32 magic, as in the file header
 *  8  u32 format version, 1    4  u32 payload length
 * 12  u32 CRC of all others    8  u64 stdout offset
 * 16  u32 magic of frames     16  u64 stderr offset
 * 20  16 bytes key            24  f64 time of the read, ms since 1970
 * 36  u32 CRC of the job's id 32  u32 stream: 1 stdout, 2 stderr; flags 4 and 8
 * 40  u64 start position      36  u32 CRC of the payload
 * 48  u64 stdout offset       40  u32 CRC of bytes 0 to 39
 * 56  u64 stderr offset       44  payload, then u32 payload length again
 * ```
 *
 * All numbers are little-endian. Older versions wrote 0 as the CRC of the job's id, and it is not compared then. The
 * offsets are those of both streams before the frame, so a reader can start at any frame. The second payload length
 * lets a reader go backwards.
 *
 * Every CRC of a frame (CRC-32, RFC 1952) starts from the first word of the key. The key is random for each log and
 * secret, so a job cannot write bytes that look like a frame. A reader can therefore search for frames from any byte.
 *
 * The time is that of the system clock, which can go back. Flag 4 marks a frame whose time is earlier than that of the
 * frame before it. Flag 8 marks that frame and all later ones. While flag 8 is absent, times only grow, and binary
 * search finds a time.
 */
import { crc32 } from "node:zlib";
import type { LogIdentity } from "./log_identity.ts";
import { getU64, setU64, viewOf } from "./u64.ts";

/** One of the two output streams of a process. */
export type Stream = "stdout" | "stderr";

/** A byte offset in each stream. */
export interface StreamOffsets {
  readonly stdout: number;
  readonly stderr: number;
}

/** The header of a frame. */
export interface FrameHeader {
  readonly stream: Stream;
  /** The offsets of both streams before the frame. */
  readonly offsets: StreamOffsets;
  /** The time of the read, in milliseconds since 1970. */
  readonly timeMs: number;
  /** True when the time is earlier than that of the frame before. */
  readonly clockWentBack: boolean;
  /** True when the clock went back at this frame or at one before it. */
  readonly isUnordered: boolean;
  /** The payload length in bytes. */
  readonly length: number;
}

/** The size of the header of a frame. */
export const FRAME_HEADER_BYTES = 44;
const TRAILER_BYTES = 4;

/** The bytes of a frame in addition to its payload. */
export const FRAME_OVERHEAD_BYTES = FRAME_HEADER_BYTES + TRAILER_BYTES;

/** The longest payload: the capacity of a pipe, and a message size at which gRPC is fast. */
export const MAX_PAYLOAD_BYTES = 65_536;

const STREAM_NUMBERS: Readonly<Record<Stream, number>> = { stdout: 1, stderr: 2 };
const STREAM_MASK = 3;
const CLOCK_WENT_BACK_FLAG = 4;
const UNORDERED_FLAG = 8;

/**
 * Encodes a frame around a payload that is already in the buffer, `FRAME_HEADER_BYTES` after `at`. Writes the header and
 * the trailer.
 *
 * @param at the offset of the frame in the buffer
 * @returns the offset of the byte after the frame
 */
export function encodeFrame(target: Uint8Array, at: number, identity: LogIdentity, header: FrameHeader): number {
  const view = viewOf(target);
  const end = at + FRAME_HEADER_BYTES + header.length;
  view.setUint32(at, identity.magic, true);
  view.setUint32(at + 4, header.length, true);
  setU64(view, at + 8, header.offsets.stdout);
  setU64(view, at + 16, header.offsets.stderr);
  view.setFloat64(at + 24, header.timeMs, true);
  const flags = (header.clockWentBack ? CLOCK_WENT_BACK_FLAG : 0) + (header.isUnordered ? UNORDERED_FLAG : 0);
  view.setUint32(at + 32, STREAM_NUMBERS[header.stream] + flags, true);
  view.setUint32(at + 36, crc32(target.subarray(at + FRAME_HEADER_BYTES, end), identity.crcSeed), true);
  view.setUint32(at + 40, crc32(target.subarray(at, at + 40), identity.crcSeed), true);
  view.setUint32(end, header.length, true);
  return end + TRAILER_BYTES;
}

/** Decodes the frame header at an offset. Undefined when no whole, undamaged header begins there. */
export function decodeFrameHeader(bytes: Uint8Array, at: number, identity: LogIdentity): FrameHeader | undefined {
  if (at < 0 || at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(at, true) !== identity.magic) return undefined;
  if (view.getUint32(at + 40, true) !== crc32(bytes.subarray(at, at + 40), identity.crcSeed)) return undefined;
  const flags = view.getUint32(at + 32, true);
  const stream = flags & STREAM_MASK;
  const length = view.getUint32(at + 4, true);
  if ((stream !== 1 && stream !== 2) || length > MAX_PAYLOAD_BYTES) return undefined;
  return {
    stream: stream === 1 ? "stdout" : "stderr",
    offsets: { stdout: getU64(view, at + 8), stderr: getU64(view, at + 16) },
    timeMs: view.getFloat64(at + 24, true),
    clockWentBack: (flags & CLOCK_WENT_BACK_FLAG) !== 0,
    isUnordered: (flags & UNORDERED_FLAG) !== 0,
    length,
  };
}

/** A frame in a buffer. */
export interface DecodedFrame extends FrameHeader {
  readonly payload: Uint8Array;
  /** The offset of the byte after the frame. */
  readonly end: number;
}

/**
 * Decodes the frame at an offset.
 *
 * @returns undefined when the bytes end before the frame does; "damaged" when no undamaged frame begins there
 */
export function decodeFrame(
  bytes: Uint8Array,
  at: number,
  identity: LogIdentity,
): DecodedFrame | "damaged" | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const header = decodeFrameHeader(bytes, at, identity);
  if (header === undefined) return "damaged";
  const start = at + FRAME_HEADER_BYTES;
  const end = start + header.length + TRAILER_BYTES;
  if (end > bytes.length) return undefined;
  const view = viewOf(bytes);
  const payload = bytes.subarray(start, start + header.length);
  if (view.getUint32(end - TRAILER_BYTES, true) !== header.length) return "damaged";
  if (view.getUint32(at + 36, true) !== crc32(payload, identity.crcSeed)) return "damaged";
  return { ...header, payload, end };
}

/** Computes the offsets of both streams after a frame. */
export function offsetsAfter(
  { stream, offsets, length }: Pick<FrameHeader, "stream" | "offsets" | "length">,
): StreamOffsets {
  return { ...offsets, [stream]: offsets[stream] + length };
}

/**
 * Finds the first whole frame header at or after an offset. The bytes may begin in the middle of a frame, because
 * payloads never hold bytes that look like a frame.
 */
export function findFrame(
  bytes: Uint8Array,
  from: number,
  identity: LogIdentity,
): { at: number; header: FrameHeader } | undefined {
  const firstByte = identity.magic & 0xff;
  for (let at = bytes.indexOf(firstByte, from); at >= 0; at = bytes.indexOf(firstByte, at + 1)) {
    const header = decodeFrameHeader(bytes, at, identity);
    if (header !== undefined) return { at, header };
  }
  return undefined;
}

/** Finds the offset of the frame that ends at `end`. Undefined when `bytes` holds no whole frame that ends there. */
export function frameStartBefore(bytes: Uint8Array, end: number, identity: LogIdentity): number | undefined {
  if (end < FRAME_OVERHEAD_BYTES || end > bytes.length) return undefined;
  const length = viewOf(bytes).getUint32(end - TRAILER_BYTES, true);
  const start = end - TRAILER_BYTES - length - FRAME_HEADER_BYTES;
  return decodeFrameHeader(bytes, start, identity)?.length === length ? start : undefined;
}
