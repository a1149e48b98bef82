/** What the store keeps as text: JSON, in which moments and digests are marked, sealed against damage. */
import { crc32 } from "node:zlib";
import { RecordDamagedError } from "../storage_errors.ts";
import type { JobSpec } from "../job/spec.ts";
import type { StoredOutput, StoredProcess, Tombstone } from "./rows.ts";
import type { ProcessStatus } from "../process/state.ts";
import { fromStoredStatus, type StoredStatus, toStoredStatus } from "./stored_status.ts";

/**
 * A moment is `{"$date": milliseconds}`. What users give is text through and through, so nothing of theirs can look like
 * one. Only the output's digests, of which nothing is a user's, are `{"$bytes": base64}`.
 */
function encode(id: string, value: object): string {
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, text) {
    const raw = this[key];
    if (raw instanceof Date) return { $date: raw.getTime() };
    if (raw instanceof Uint8Array) return { $bytes: raw.toBase64() };
    return text;
  });
  return seal(id, text);
}

function decode(id: string, text: string, options: { readonly bytes?: boolean } = {}): unknown {
  return JSON.parse(open(id, text), (_key, value) => {
    if (typeof value?.$date === "number") return new Date(value.$date);
    if (options.bytes && typeof value?.$bytes === "string") return Uint8Array.fromBase64(value.$bytes);
    return value;
  });
}

// SQLite has no checksums of its own: a flipped bit gives another number, or another job's row.

const SEAL = ',"$crc":"';
const SEAL_CHARS = SEAL.length + 8 + 2;

/** CRC-32 (RFC 1952) of the job's id and the text: a text of another job does not pass for this one's. */
function checksum(id: string, text: string): string {
  return crc32(text, crc32(id)).toString(16).padStart(8, "0");
}

/** Adds a checksum as the last field of an object, so that the text stays JSON. */
function seal(id: string, text: string): string {
  return `${text.slice(0, -1)}${SEAL}${checksum(id, text)}"}`;
}

/**
 * Returns the text as it was before it was sealed. Texts by earlier versions have no seal.
 *
 * @throws {RecordDamagedError} when the text is not what was sealed for this job
 */
function open(id: string, sealed: string): string {
  const at = sealed.length - SEAL_CHARS;
  const alike = [...SEAL].filter((character, index) => sealed[at + index] === character).length;
  // No text of an earlier version ends like this: what nearly is a seal was one.
  if (alike < SEAL.length - 2) return sealed;
  const text = `${sealed.slice(0, at)}}`;
  if (sealed.slice(at) !== `${SEAL}${checksum(id, text)}"}`) throw new RecordDamagedError();
  return text;
}

export function encodeSpec(spec: JobSpec): string {
  return encode(spec.id, spec);
}

export function encodeStatus(id: string, status: ProcessStatus): string {
  return encode(id, toStoredStatus(status));
}

export const encodeProcess: (id: string, process: StoredProcess) => string = encode;
export const encodeOutput: (id: string, output: StoredOutput) => string = encode;

export function encodeTombstone(tombstone: Tombstone): string {
  return encode("", { ...tombstone, status: toStoredStatus(tombstone.status) });
}

/** @throws {RecordDamagedError} as the other decoders, when the text is damaged or another job's */
export function decodeSpec(id: string, text: string): JobSpec {
  return decode(id, text) as JobSpec;
}

export function decodeStatus(id: string, text: string): ProcessStatus {
  return fromStoredStatus(decode(id, text) as StoredStatus);
}

export function decodeProcess(id: string, text: string): StoredProcess {
  return decode(id, text) as StoredProcess;
}

export function decodeOutput(id: string, text: string): StoredOutput {
  return decode(id, text, { bytes: true }) as StoredOutput;
}

export function decodeTombstone(text: string): Tombstone {
  const tombstone = decode("", text) as Tombstone & { readonly status: StoredStatus };
  return { ...tombstone, status: fromStoredStatus(tombstone.status) };
}
