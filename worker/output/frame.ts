/**
 * The format of a job's output record: how a piece of output stands in the file. A file is a header and then records:
 *
 * ```text
 * file header, 64 bytes       record, 48 bytes and the payload
 *  0  "TELEPORT"               0  u32 mark, as in the file header
 *  8  u32 format version, 1    4  u32 payload length
 * 12  u32 CRC of all others    8  u64 stdout offset
 * 16  u32 mark                16  u64 stderr offset
 * 20  16 bytes key            24  f64 time it was read, ms since 1970
 * 36  u32 unused, 0           32  u32 stream: 1 stdout, 2 stderr
 * 40  u64 base position       36  u32 CRC of the payload
 * 48  u64 stdout offset       40  u32 CRC of bytes 0 to 39
 * 56  u64 stderr offset       44  payload, then u32 payload length again
 * ```
 *
 * All little-endian. The CRC of the job's id is 0 in files by earlier versions, and is not compared then. Offsets are those of both streams before the record, so that every record is a place to begin at. The
 * length behind the payload lets a reader go backwards. Every CRC of a record (CRC-32, RFC 1952)
 * starts from the first word of the key, which is random for each log and shown to nobody: a job cannot write bytes
 * that pass for a record, so a reader may look for records from anywhere in the file.
 *
 * The time is what the clock said, so it can be earlier than that of the record before: mark 4. From the first such record
 * on, each has mark 8: where it is missing, times only grow, and a time can be found by halving.
 */
import { crc32 } from "node:zlib";

/** One of the two output streams of a process. */
export type Stream = "stdout" | "stderr";

/** Offsets behind the last byte of each stream. */
export interface StreamOffsets {
  readonly stdout: number;
  readonly stderr: number;
}

/** What stands before the payload. */
export interface FrameHeader {
  readonly stream: Stream;
  /** Of both streams before the record. */
  readonly offsets: StreamOffsets;
  readonly timeMs: number;
  /** True when the time is earlier than that of the record before. */
  readonly clockWentBack: boolean;
  /** True when it is so of this record or of one before it. */
  readonly isUnordered: boolean;
  readonly length: number;
}

/** What a file begins with. */
export interface FileHeader {
  readonly identity: LogIdentity;
  /** The position in the whole log at which the first record of this file begins. */
  readonly base: number;
  /** The offsets of the streams at that position. */
  readonly offsets: StreamOffsets;
  /** Names the job whose output it is, as `jobChecksum` gives it. 0: unknown, by an earlier version. */
  readonly job: number;
}

/** The number by which a file names its job; never 0. */
export function jobChecksum(id: string): number {
  return crc32(id) || 1;
}

/** Tells one log from all others. */
export interface LogIdentity {
  /** Marks each record's beginning. */
  readonly mark: number;
  /** 16 secret bytes: they sign cursors, and their first word starts each CRC. */
  readonly key: Uint8Array;
  readonly seed: number;
}

export const FILE_HEADER_BYTES = 64;
export const FRAME_HEADER_BYTES = 44;
const TRAILER_BYTES = 4;

/** What a record takes beside its payload. */
export const FRAME_OVERHEAD_BYTES = FRAME_HEADER_BYTES + TRAILER_BYTES;

/** Longest payload: as much as a pipe holds, and a message of a size at which gRPC is fast. */
export const MAX_PAYLOAD_BYTES = 65_536;

const MAGIC = new TextEncoder().encode("TELEPORT");
const VERSION = 1;
const STREAM_NUMBERS: Readonly<Record<Stream, number>> = { stdout: 1, stderr: 2 };
const STREAM_BITS = 3;
const CLOCK_WENT_BACK = 4;
const UNORDERED = 8;
const TWO_32 = 4_294_967_296;

/** Makes a fresh random salt. */
export function newLogIdentity(): LogIdentity {
  const random = crypto.getRandomValues(new Uint8Array(20));
  return identityFrom(random);
}

function identityFrom(bytes: Uint8Array): LogIdentity {
  const view = viewOf(bytes);
  return { mark: view.getUint32(0, true), key: bytes.slice(4, 20), seed: view.getUint32(4, true) };
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

function getU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Encodes the header of a file. */
export function encodeFileHeader(header: FileHeader): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(16, header.identity.mark, true);
  bytes.set(header.identity.key, 20);
  view.setUint32(36, header.job, true);
  setU64(view, 40, header.base);
  setU64(view, 48, header.offsets.stdout);
  setU64(view, 56, header.offsets.stderr);
  view.setUint32(12, crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12))), true);
  return bytes;
}

/** Decodes the header of a file; undefined when it is none, or torn. */
export function decodeFileHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.length < FILE_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (MAGIC.some((byte, index) => bytes[index] !== byte) || view.getUint32(8, true) !== VERSION) return undefined;
  const crc = crc32(bytes.subarray(16, FILE_HEADER_BYTES), crc32(bytes.subarray(0, 12)));
  if (view.getUint32(12, true) !== crc) return undefined;
  return {
    identity: identityFrom(bytes.subarray(16, 36)),
    base: getU64(view, 40),
    offsets: { stdout: getU64(view, 48), stderr: getU64(view, 56) },
    job: view.getUint32(36, true),
  };
}

/**
 * Makes a record of the payload that stands in `target` behind the place of the header: writes the header at `at` and the
 * trailer behind the payload. Returns the place right behind the record.
 */
export function encodeFrame(target: Uint8Array, at: number, salt: LogIdentity, header: FrameHeader): number {
  const view = viewOf(target);
  const end = at + FRAME_HEADER_BYTES + header.length;
  view.setUint32(at, salt.mark, true);
  view.setUint32(at + 4, header.length, true);
  setU64(view, at + 8, header.offsets.stdout);
  setU64(view, at + 16, header.offsets.stderr);
  view.setFloat64(at + 24, header.timeMs, true);
  const marks = (header.clockWentBack ? CLOCK_WENT_BACK : 0) + (header.isUnordered ? UNORDERED : 0);
  view.setUint32(at + 32, STREAM_NUMBERS[header.stream] + marks, true);
  view.setUint32(at + 36, crc32(target.subarray(at + FRAME_HEADER_BYTES, end), salt.seed), true);
  view.setUint32(at + 40, crc32(target.subarray(at, at + 40), salt.seed), true);
  view.setUint32(end, header.length, true);
  return end + TRAILER_BYTES;
}

/** Decodes the header of a record that begins at `at`; undefined when none begins there whole. */
export function decodeFrameHeader(bytes: Uint8Array, at: number, salt: LogIdentity): FrameHeader | undefined {
  if (at < 0 || at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(at, true) !== salt.mark) return undefined;
  if (view.getUint32(at + 40, true) !== crc32(bytes.subarray(at, at + 40), salt.seed)) return undefined;
  const marks = view.getUint32(at + 32, true);
  const stream = marks & STREAM_BITS;
  const length = view.getUint32(at + 4, true);
  if ((stream !== 1 && stream !== 2) || length > MAX_PAYLOAD_BYTES) return undefined;
  return {
    stream: stream === 1 ? "stdout" : "stderr",
    offsets: { stdout: getU64(view, at + 8), stderr: getU64(view, at + 16) },
    timeMs: view.getFloat64(at + 24, true),
    clockWentBack: (marks & CLOCK_WENT_BACK) !== 0,
    isUnordered: (marks & UNORDERED) !== 0,
    length,
  };
}

/** A record as it stands in a buffer: its header, and where its payload is. */
export interface DecodedFrame extends FrameHeader {
  readonly payload: Uint8Array;
  /** The place right behind the record. */
  readonly end: number;
}

/**
 * Decodes the record that begins at `at`. Undefined when the bytes end before it does; "damaged" when what is there is
 * no record or not as it was written.
 */
export function decodeFrame(bytes: Uint8Array, at: number, salt: LogIdentity): DecodedFrame | "damaged" | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const header = decodeFrameHeader(bytes, at, salt);
  if (header === undefined) return "damaged";
  const start = at + FRAME_HEADER_BYTES;
  const end = start + header.length + TRAILER_BYTES;
  if (end > bytes.length) return undefined;
  const view = viewOf(bytes);
  const payload = bytes.subarray(start, start + header.length);
  if (view.getUint32(end - TRAILER_BYTES, true) !== header.length) return "damaged";
  if (view.getUint32(at + 36, true) !== crc32(payload, salt.seed)) return "damaged";
  return { ...header, payload, end };
}

/** The offsets of both streams right behind a record. */
export function offsetsAfter(
  { stream, offsets, length }: Pick<FrameHeader, "stream" | "offsets" | "length">,
): StreamOffsets {
  return { ...offsets, [stream]: offsets[stream] + length };
}

/**
 * Finds the first record that begins at `from` or later; undefined when none does whole. It may be used on a part of a
 * file that begins in the middle of a record: payloads do not hold what passes for one.
 */
export function findFrame(
  bytes: Uint8Array,
  from: number,
  salt: LogIdentity,
): { at: number; header: FrameHeader } | undefined {
  const first = salt.mark & 0xff;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    const header = decodeFrameHeader(bytes, at, salt);
    if (header !== undefined) return { at, header };
  }
  return undefined;
}

/**
 * Finds where the record begins that ends at `end`, all of it within `bytes`; undefined when none ends there.
 */
export function frameStartBefore(bytes: Uint8Array, end: number, salt: LogIdentity): number | undefined {
  if (end < FRAME_OVERHEAD_BYTES || end > bytes.length) return undefined;
  const length = viewOf(bytes).getUint32(end - TRAILER_BYTES, true);
  const start = end - TRAILER_BYTES - length - FRAME_HEADER_BYTES;
  return decodeFrameHeader(bytes, start, salt)?.length === length ? start : undefined;
}
