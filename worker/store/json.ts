/** Encodes values as the JSON texts of the database. Dates and digests are marked, and a checksum detects damage. */
import { crc32 } from "node:zlib";
import { fromMarkedJson, toMarkedJson } from "../../base/marked_json.ts";
import { RecordDamagedError } from "../storage_errors.ts";
import type { JobSpec } from "../job/spec.ts";
import type { Tombstone } from "./rows.ts";
import type { StoredOutput, StoredProcess } from "../job/status_details.ts";
import type { ProcessStatus } from "../process/state.ts";
import { fromStoredStatus, type StoredStatus, toStoredStatus } from "./stored_status.ts";

// Users have no values in the totals of output, the only texts with bytes.

function encode(id: string, value: object): string {
  return addChecksum(id, toMarkedJson(value, { plainBytes: true }));
}

function decode(id: string, text: string, options: { readonly bytes?: boolean } = {}): unknown {
  return fromMarkedJson(checkedText(id, text), { plainBytes: options.bytes === true });
}

// SQLite has no checksums: a flipped bit gives another number, or the row of another job.

const CHECKSUM_START = ',"$crc":"';
const CHECKSUM_CHARS = CHECKSUM_START.length + 8 + 2;

/** Returns the CRC-32 (RFC 1952) of the job's id and the text, so the text of another job does not match. */
function checksum(id: string, text: string): string {
  return crc32(text, crc32(id)).toString(16).padStart(8, "0");
}

/** Adds the checksum as the last field of the object, so the text remains JSON. */
function addChecksum(id: string, text: string): string {
  return `${text.slice(0, -1)}${CHECKSUM_START}${checksum(id, text)}"}`;
}

/**
 * Returns the text without its checksum. Texts of older versions have none.
 *
 * @throws {RecordDamagedError} when the checksum does not match the text and the job
 */
function checkedText(id: string, stored: string): string {
  const at = stored.length - CHECKSUM_CHARS;
  const matching = [...CHECKSUM_START].filter((character, index) => stored[at + index] === character).length;
  // A text that almost has a checksum is damaged: no text of an older version ends like this.
  if (matching < CHECKSUM_START.length - 2) return stored;
  const text = `${stored.slice(0, at)}}`;
  if (stored.slice(at) !== `${CHECKSUM_START}${checksum(id, text)}"}`) throw new RecordDamagedError();
  return text;
}

/** Encodes the spec of a job. */
export function encodeSpec(spec: JobSpec): string {
  return encode(spec.id, spec);
}

/** Encodes a status of a job. */
export function encodeStatus(id: string, status: ProcessStatus): string {
  return encode(id, toStoredStatus(status));
}

/** Encodes the facts that identify the processes of a job. */
export const encodeProcess: (id: string, process: StoredProcess) => string = encode;
/** Encodes the totals of a job's output. */
export const encodeOutput: (id: string, output: StoredOutput) => string = encode;

/** Encodes what is kept of a removed job. */
export function encodeTombstone(tombstone: Tombstone): string {
  return encode("", { ...tombstone, status: toStoredStatus(tombstone.status) });
}

/**
 * Decodes the spec of a job. All decoders throw the same error.
 *
 * @throws {RecordDamagedError} when the text is damaged, or belongs to another job
 */
export function decodeSpec(id: string, text: string): JobSpec {
  return decode(id, text) as JobSpec;
}

/** Decodes a status of a job. */
export function decodeStatus(id: string, text: string): ProcessStatus {
  return fromStoredStatus(decode(id, text) as StoredStatus);
}

/** Decodes the facts that identify the processes of a job. */
export function decodeProcess(id: string, text: string): StoredProcess {
  return decode(id, text) as StoredProcess;
}

/** Decodes the totals of a job's output. */
export function decodeOutput(id: string, text: string): StoredOutput {
  return decode(id, text, { bytes: true }) as StoredOutput;
}

/** Decodes what is kept of a removed job. */
export function decodeTombstone(text: string): Tombstone {
  const tombstone = decode("", text) as Tombstone & { readonly status: StoredStatus };
  return { ...tombstone, status: fromStoredStatus(tombstone.status) };
}
