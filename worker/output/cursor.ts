/** Positions in a log, and cursors: positions as signed text that clients keep and send back. */
import { createHmac } from "node:crypto";
import { InvalidCursorError } from "../errors.ts";
import type { StreamOffsets } from "./frame.ts";
import type { LogIdentity } from "./log_identity.ts";

/** A position between two frames of a log. */
export interface LogPosition {
  /** The bytes of the log before it. */
  readonly position: number;
  /** The bytes of each stream before it. */
  readonly offsets: StreamOffsets;
}

/** The readable part of a log. The end moves as the job writes, the start as old output is dropped. */
export interface LogRange {
  /** The first position. */
  start: LogPosition;
  /** The position after the last frame. */
  end: LogPosition;
}

/** The start of every log. */
export const LOG_START: LogPosition = { position: 0, offsets: { stdout: 0, stderr: 0 } };

/** The cursor of the start. It is not signed: a log without output has no file that could keep its key. */
const START_CURSOR = "0.0.0";

/** 48 bits. Each guess costs a call, and a correct one only shows the caller's own output from an odd position. */
const SIGNATURE_CHARS = 8;

function sign(identity: LogIdentity, text: string): string {
  return createHmac("sha256", identity.key).update(text).digest("base64url").slice(0, SIGNATURE_CHARS);
}

/**
 * Formats a position as a cursor, such as `2p.1c.0.hV3_k2aZ`: the position, both offsets and a signature. The start is
 * `0.0.0` in every log.
 */
export function formatCursor(identity: LogIdentity, { position, offsets }: LogPosition): string {
  if (position === 0) return START_CURSOR;
  const text = [position, offsets.stdout, offsets.stderr].map((number) => number.toString(36)).join(".");
  return `${text}.${sign(identity, text)}`;
}

/**
 * Parses a cursor and checks its signature.
 *
 * @throws {InvalidCursorError} when this log did not create it
 */
export function parseCursor(cursor: string, identity: LogIdentity): LogPosition {
  if (cursor === START_CURSOR) return LOG_START;
  // Ten digits of base 36 hold every number below 2^51.
  const match = /^(([0-9a-z]{1,10})\.([0-9a-z]{1,10})\.([0-9a-z]{1,10}))\.([\w-]+)$/.exec(cursor);
  if (match === null || match[5] !== sign(identity, match[1] ?? "")) throw new InvalidCursorError(cursor);
  const [position = NaN, stdout = NaN, stderr = NaN] = match.slice(2, 5).map((digits) => parseInt(digits, 36));
  return { position, offsets: { stdout, stderr } };
}
