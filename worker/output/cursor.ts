/** Cursors: a place between two records of one log, as text that clients keep and give back. */
import { createHmac } from "node:crypto";
import { InvalidCursorError } from "../errors.ts";
import type { LogIdentity, StreamOffsets } from "./frame.ts";

/** A place between two records of a log. */
export interface LogPosition {
  /** Bytes of the log before it. */
  readonly position: number;
  /** Bytes of each stream before it. */
  readonly offsets: StreamOffsets;
}

/** Where every log begins. */
export const LOG_START: LogPosition = { position: 0, offsets: { stdout: 0, stderr: 0 } };

/**
 * The cursor of where every log begins. It has no signature: a log without output has no file, so its key does not
 * survive a restart.
 */
const START_CURSOR = "0.0.0";

/** 48 bits: a guess costs a call, and all a right one buys is the caller's own output from an odd place. */
const SIGNATURE_CHARS = 8;

function sign(salt: LogIdentity, text: string): string {
  return createHmac("sha256", salt.key).update(text).digest("base64url").slice(0, SIGNATURE_CHARS);
}

/**
 * Writes a place as a cursor, such as `2p.1c.0.hV3_k2aZ`: the position, both offsets, and a signature by the log's key,
 * so that only what the log gave out is taken back. The start is `0.0.0` in every log.
 */
export function formatCursor(salt: LogIdentity, place: LogPosition): string {
  if (place.position === 0) return START_CURSOR;
  const numbers = [place.position, place.offsets.stdout, place.offsets.stderr];
  const text = numbers.map((number) => number.toString(36)).join(".");
  return `${text}.${sign(salt, text)}`;
}

/**
 * Reads a cursor of the log with this salt.
 *
 * @throws {InvalidCursorError} when this log did not give it out
 */
export function parseCursor(cursor: string, salt: LogIdentity): LogPosition {
  if (cursor === START_CURSOR) return LOG_START;
  // Ten digits of base 36 hold every number below 2^51.
  const match = /^(([0-9a-z]{1,10})\.([0-9a-z]{1,10})\.([0-9a-z]{1,10}))\.([\w-]+)$/.exec(cursor);
  if (match === null || match[5] !== sign(salt, match[1] ?? "")) throw new InvalidCursorError(cursor);
  const [position = NaN, stdout = NaN, stderr = NaN] = match.slice(2, 5).map((digits) => parseInt(digits, 36));
  return { position, offsets: { stdout, stderr } };
}
