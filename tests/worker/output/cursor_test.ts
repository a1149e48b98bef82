/** Tests of cursors: a log accepts its own, and refuses all others. */
import assert from "node:assert/strict";
import { InvalidCursorError } from "../../../worker/errors.ts";
import { formatCursor, LOG_START, parseCursor } from "../../../worker/output/cursor.ts";
import { newLogIdentity } from "../../../worker/output/log_identity.ts";

const IDENTITY = newLogIdentity();
const POSITION = { position: 98_765, offsets: { stdout: 12_345, stderr: 678 } };

Deno.test("parseCursor() returns the position of formatCursor(), up to the largest log", () => {
  const far = { position: 2 ** 51, offsets: { stdout: 2 ** 50, stderr: 2 ** 50 - 1 } };
  for (const position of [LOG_START, POSITION, far]) {
    assert.deepEqual(parseCursor(formatCursor(IDENTITY, position), IDENTITY), position);
  }
});

Deno.test("formatCursor() uses only characters that URLs and shells do not change", () => {
  for (let index = 0; index < 100; index++) {
    assert.match(formatCursor(newLogIdentity(), POSITION), /^[\w.-]{8,48}$/);
  }
});

Deno.test("parseCursor() refuses a cursor with one changed, added or missing character", () => {
  const cursor = formatCursor(IDENTITY, POSITION);
  const forged = new Set<string>();
  for (let at = 0; at <= cursor.length; at++) {
    forged.add(cursor.slice(0, at) + cursor.slice(at + 1));
    for (const char of "0aZ.-_ \n\0é") {
      forged.add(cursor.slice(0, at) + char + cursor.slice(at));
      forged.add(cursor.slice(0, at) + char + cursor.slice(at + 1));
    }
  }
  forged.delete(cursor);
  assert.ok(forged.size > 200);
  for (const text of forged) assert.throws(() => parseCursor(text, IDENTITY), InvalidCursorError, text);
});

Deno.test("parseCursor() refuses cursors of another log, and other texts", () => {
  assert.throws(() => parseCursor(formatCursor(newLogIdentity(), POSITION), IDENTITY), InvalidCursorError);
  // The magic number alone does not identify a log.
  assert.throws(
    () => parseCursor(formatCursor({ ...newLogIdentity(), magic: IDENTITY.magic }, POSITION), IDENTITY),
    InvalidCursorError,
  );
  for (
    const text of [
      "",
      ".",
      "...",
      "0",
      "0.0",
      "0.0.0.",
      "0.0.1",
      "-1.0.0.AAAAAAAA",
      "NaN.0.0.AAAAAAAA",
      "x".repeat(100_000),
    ]
  ) {
    assert.throws(() => parseCursor(text, IDENTITY), InvalidCursorError, text.slice(0, 20));
  }
});

Deno.test("formatCursor() returns the same start cursor for every log", () => {
  assert.equal(formatCursor(IDENTITY, LOG_START), "0.0.0");
  assert.equal(parseCursor(formatCursor(newLogIdentity(), LOG_START), IDENTITY), LOG_START);
});
