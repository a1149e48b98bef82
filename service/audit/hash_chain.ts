/** The lines of the audit log. Each has the hash of the line before, so a missing or changed line is noticed. */
import { hash } from "node:crypto";
import { escapeJson } from "../../text/unprintable.ts";
import type { AuditEntry } from "./audit.ts";

/** The longest line, in UTF-16 code units. */
const MAX_LINE_CHARS = 170 * 1024;

/** The most bytes of a line: a code unit has at most three in UTF-8. */
export const MAX_LINE_BYTES = 3 * MAX_LINE_CHARS;

/** The end of the chain, which the next line continues. */
export interface ChainEnd {
  /** The number of the last line; 0 before the first line. */
  readonly seq: number;
  /** The SHA-256 digest of the last line without its line break, in lower-case hexadecimal. */
  readonly hash: string;
}

/** The end of an empty chain. */
export const CHAIN_START: ChainEnd = { seq: 0, hash: "0".repeat(64) };

/** The fields that every line has. */
export interface ChainLine {
  readonly seq: number;
  readonly prev: string;
  /** The number of the last removed line. Present in lines about a file that was removed to make room. */
  readonly removed_through?: number;
}

/** Returns the next line without its line break, and the new end of the chain. A line that is too long is shortened. */
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
    const text = `The rest of this line is left out: it had ${line.length} characters`;
    line = lineOf({ event, user, fingerprint, peer, call, job, allowed, code, text });
  }
  // Hashed as text. To encode each line alone, instead of a batch of lines, would take as long as the hash.
  return { line, end: { seq, hash: hashOf(line) } };
}

/** Returns the hash of a line, computed over its bytes in UTF-8. */
export function hashOf(line: string | Uint8Array): string {
  return hash("sha256", line, "hex");
}

/** Parses a line. Returns undefined when it is not a line of an audit log. */
export function readLine(bytes: Uint8Array): ChainLine | undefined {
  try {
    const { seq, prev, removed_through } = JSON.parse(new TextDecoder().decode(bytes));
    if (!Number.isSafeInteger(seq) || typeof prev !== "string") return undefined;
    return { seq, prev, ...(Number.isSafeInteger(removed_through) ? { removed_through } : {}) };
  } catch {
    return undefined;
  }
}
