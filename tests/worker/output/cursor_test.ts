/** Cursors: those that a log gave out are taken back, all others are refused. */
import assert from "node:assert/strict";
import { InvalidCursorError } from "../../../worker/errors.ts";
import { formatCursor, LOG_START, parseCursor } from "../../../worker/output/cursor.ts";
import { newLogIdentity } from "../../../worker/output/log_identity.ts";

const IDENTITY = newLogIdentity();
const PLACE = { position: 98_765, offsets: { stdout: 12_345, stderr: 678 } };

Deno.test("parseCursor() gives back the place that formatCursor() was given, up to the largest log", () => {
  const far = { position: 2 ** 51, offsets: { stdout: 2 ** 50, stderr: 2 ** 50 - 1 } };
  for (const place of [LOG_START, PLACE, far]) {
    assert.deepEqual(parseCursor(formatCursor(IDENTITY, place), IDENTITY), place);
  }
});

Deno.test("formatCursor() writes what can stand in an address or on a command line as it is", () => {
  for (let index = 0; index < 100; index++) {
    assert.match(formatCursor(newLogIdentity(), PLACE), /^[\w.-]{8,48}$/);
  }
});

Deno.test("parseCursor() refuses a cursor in which any one character was changed, added or left out", () => {
  const cursor = formatCursor(IDENTITY, PLACE);
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

Deno.test("parseCursor() refuses cursors of another log, and what looks like none", () => {
  assert.throws(() => parseCursor(formatCursor(newLogIdentity(), PLACE), IDENTITY), InvalidCursorError);
  // The same mark is not the same log.
  assert.throws(
    () => parseCursor(formatCursor({ ...newLogIdentity(), magic: IDENTITY.magic }, PLACE), IDENTITY),
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

Deno.test("the cursor of the start is the same in every log", () => {
  assert.equal(formatCursor(IDENTITY, LOG_START), "0.0.0");
  assert.equal(parseCursor(formatCursor(newLogIdentity(), LOG_START), IDENTITY), LOG_START);
});
