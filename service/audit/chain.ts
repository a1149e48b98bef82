/** The lines of the audit record: each carries the hash of the one before, so that none can go or change unseen. */
import { hash } from "node:crypto";
import { escapeJson } from "../../text/unprintable.ts";
import type { AuditEntry } from "./audit.ts";

/** A longer line is not written. */
const MAX_LINE_CHARS = 170 * 1024;

/** No line has more, for a character has three bytes at most: so much of a file's end holds the last one. */
export const MAX_LINE_BYTES = 3 * MAX_LINE_CHARS;

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

/**
 * Makes the next line, without its line break, and what the one after that is chained to. Of a line that is too long what
 * matters most is kept.
 */
export function chainLine(
  end: ChainEnd,
  entry: AuditEntry & Partial<ChainLine>,
  time: Date,
): { readonly line: string; readonly end: ChainEnd } {
  const seq = end.seq + 1;
  const begin = `{"seq":${seq},"time":"${time.toISOString()}","prev":"${end.hash}",`;
  const lineOf = (kept: object) => begin + escapeJson(JSON.stringify(kept)).slice(1);
  let line = lineOf(entry);
  if (line.length > MAX_LINE_CHARS) {
    const { event, user, fingerprint, peer, call, job, allowed, code } = entry;
    const text = `The rest of this line is left out, it had ${line.length} characters`;
    line = lineOf({ event, user, fingerprint, peer, call, job, allowed, code, text });
  }
  // As a text: to make bytes of each line, and not of all that are written together, would take as long as the hash.
  return { line, end: { seq, hash: hashOf(line) } };
}

/** The hash that the next line carries, which is of the line's bytes in UTF-8. */
export function hashOf(line: string | Uint8Array): string {
  return hash("sha256", line, "hex");
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
