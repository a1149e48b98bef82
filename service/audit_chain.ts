/** The lines of the audit record: each carries the hash of the one before, so that none can go or change unseen. */
import { createHash } from "node:crypto";
import type { AuditEntry } from "./audit.ts";

/** No line is longer: so much of a file's end holds the last one, however long. */
export const MAX_LINE_BYTES = 512 * 1024;

/** What the next line is chained to. */
export interface ChainEnd {
  /** Of the last line; 0 before the first. */
  readonly seq: number;
  /** SHA-256 of the last line without its line break, lower-case hexadecimal. */
  readonly hash: string;
}

/** Before the first line. */
export const CHAIN_START: ChainEnd = { seq: 0, hash: "0".repeat(64) };

/** A line as it is read: what every line has. */
export interface ChainLine {
  readonly seq: number;
  readonly prev: string;
  /** Of the server's own line about files that were removed to make room: the last line that went. */
  readonly removed_through?: number;
}

/** Makes the next line, and what the one after that is chained to. Of one that is too long what matters most is kept. */
export function chainLine(
  end: ChainEnd,
  entry: AuditEntry & Partial<ChainLine>,
  time: Date,
): { readonly bytes: Uint8Array; readonly end: ChainEnd } {
  const seq = end.seq + 1;
  const lineOf = (kept: object) => `${JSON.stringify({ seq, time: time.toISOString(), prev: end.hash, ...kept })}\n`;
  let bytes = encoder.encode(lineOf(entry));
  if (bytes.length > MAX_LINE_BYTES) {
    const { event, user, fingerprint, peer, call, job, allowed, code } = entry;
    const text = `The rest of this line is left out, it had ${bytes.length} bytes`;
    bytes = encoder.encode(lineOf({ event, user, fingerprint, peer, call, job, allowed, code, text }));
  }
  return { bytes, end: { seq, hash: hashOf(bytes.subarray(0, -1)) } };
}

const encoder = new TextEncoder();

/** The hash that the next line carries. */
export function hashOf(line: Uint8Array): string {
  return createHash("sha256").update(line).digest("hex");
}

/** Reads a line; undefined when it is none. */
export function readLine(bytes: Uint8Array): ChainLine | undefined {
  try {
    const { seq, prev, removed_through } = JSON.parse(new TextDecoder().decode(bytes));
    if (!Number.isSafeInteger(seq) || typeof prev !== "string") return undefined;
    return { seq, prev, ...(Number.isSafeInteger(removed_through) ? { removed_through } : {}) };
  } catch {
    return undefined;
  }
}
