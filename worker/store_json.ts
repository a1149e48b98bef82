/** What the store keeps as text: JSON, in which moments and digests are marked. */
import type { JobSpec } from "./job_spec.ts";
import type { StoredOutput, StoredProcess, Tombstone } from "./store_rows.ts";
import type { ProcessStatus } from "./state.ts";

/**
 * A moment is `{"$date": milliseconds}`. What users give is text through and through, so nothing of theirs can look like
 * one. Only the output's digests, of which nothing is a user's, are `{"$bytes": base64}`.
 */
function encode(value: object): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, text) {
    const raw = this[key];
    if (raw instanceof Date) return { $date: raw.getTime() };
    if (raw instanceof Uint8Array) return { $bytes: raw.toBase64() };
    return text;
  });
}

function decode(text: string, options: { readonly bytes?: boolean } = {}): unknown {
  return JSON.parse(text, (_key, value) => {
    if (typeof value?.$date === "number") return new Date(value.$date);
    if (options.bytes && typeof value?.$bytes === "string") return Uint8Array.fromBase64(value.$bytes);
    return value;
  });
}

export const encodeSpec: (spec: JobSpec) => string = encode;
export const encodeStatus: (status: ProcessStatus) => string = encode;
export const encodeProcess: (process: StoredProcess) => string = encode;
export const encodeOutput: (output: StoredOutput) => string = encode;
export const encodeTombstone: (tombstone: Tombstone) => string = encode;

export function decodeSpec(text: string): JobSpec {
  return decode(text) as JobSpec;
}

export function decodeStatus(text: string): ProcessStatus {
  return decode(text) as ProcessStatus;
}

export function decodeProcess(text: string): StoredProcess {
  return decode(text) as StoredProcess;
}

export function decodeOutput(text: string): StoredOutput {
  return decode(text, { bytes: true }) as StoredOutput;
}

export function decodeTombstone(text: string): Tombstone {
  return decode(text) as Tombstone;
}
