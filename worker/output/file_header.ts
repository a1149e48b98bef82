/** The header of a file of a log. The first comment of frame.ts describes the format. */
import { crc32 } from "node:zlib";
import type { StreamOffsets } from "./frame.ts";
import { identityFrom, type LogIdentity } from "./log_identity.ts";
import { getU64, setU64, viewOf } from "./u64.ts";

/** The header of a file. */
export interface FileHeader {
  readonly identity: LogIdentity;
  /** The position in the log at which the file starts. */
  readonly start: number;
  /** The offsets of the streams at that position. */
  readonly offsets: StreamOffsets;
  /** The checksum of the job's id; 0 in files of older versions. */
  readonly job: number;
}

/** The size of the header. */
export const FILE_HEADER_BYTES = 64;

const MAGIC = new TextEncoder().encode("TELEPORT");
const VERSION = 1;

/** Computes the checksum by which a file names its job; never 0. */
export function jobChecksum(id: string): number {
  return crc32(id) || 1;
}

/** Encodes the header of a file. */
export function encodeFileHeader(header: FileHeader): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(16, header.identity.magic, true);
  bytes.set(header.identity.key, 20);
  view.setUint32(36, header.job, true);
  setU64(view, 40, header.start);
  setU64(view, 48, header.offsets.stdout);
  setU64(view, 56, header.offsets.stderr);
  view.setUint32(12, crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12))), true);
  return bytes;
}

/** Decodes the header of a file. Undefined when it is torn or damaged. */
export function decodeFileHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.length < FILE_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  if (MAGIC.some((byte, index) => bytes[index] !== byte) || view.getUint32(8, true) !== VERSION) return undefined;
  const crc = crc32(bytes.subarray(16, FILE_HEADER_BYTES), crc32(bytes.subarray(0, 12)));
  if (view.getUint32(12, true) !== crc) return undefined;
  return {
    identity: identityFrom(bytes.subarray(16, 36)),
    start: getU64(view, 40),
    offsets: { stdout: getU64(view, 48), stderr: getU64(view, 56) },
    job: view.getUint32(36, true),
  };
}
