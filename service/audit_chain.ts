/** The lines of the audit record: each carries the hash of the one before, so that none can go or change unseen. */
import { createHash } from "node:crypto";
import type { AuditEntry } from "./audit.ts";

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

/** Makes the next line, and what the one after that is chained to. */
export function chainLine(
  end: ChainEnd,
  entry: AuditEntry & Partial<ChainLine>,
  time: Date,
): { readonly line: string; readonly end: ChainEnd } {
  const seq = end.seq + 1;
  const line = JSON.stringify({ seq, time: time.toISOString(), prev: end.hash, ...entry });
  return { line, end: { seq, hash: hashOf(line) } };
}

/** The hash that the next line carries. */
export function hashOf(line: string | Uint8Array): string {
  return createHash("sha256").update(line).digest("hex");
}

/** Reads a line; undefined when it is none. */
export function readLine(text: string): ChainLine | undefined {
  try {
    const { seq, prev, removed_through } = JSON.parse(text);
    if (!Number.isSafeInteger(seq) || typeof prev !== "string") return undefined;
    return { seq, prev, ...(Number.isSafeInteger(removed_through) ? { removed_through } : {}) };
  } catch {
    return undefined;
  }
}
