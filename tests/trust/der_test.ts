/** Tests of DER times. */
import assert from "node:assert/strict";
import { DerReader, readTime, TAG } from "../../trust/der.ts";

const read = (tag: number, text: string) => {
  const bytes = new TextEncoder().encode(text);
  return readTime(new DerReader(new Uint8Array([tag, bytes.length, ...bytes])).next());
};

Deno.test("readTime() reads short years from 1950, and long years", () => {
  const times = [
    [TAG.UTC_TIME, "500101000000Z", "1950-01-01T00:00:00.000Z"],
    [TAG.UTC_TIME, "491231235959Z", "2049-12-31T23:59:59.000Z"],
    [TAG.UTC_TIME, "240229120000Z", "2024-02-29T12:00:00.000Z"],
    [TAG.GENERALIZED_TIME, "20500101000000Z", "2050-01-01T00:00:00.000Z"],
    [TAG.GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59.000Z"],
  ] as const;
  for (const [tag, text, time] of times) assert.equal(read(tag, text).toISOString(), time);
});

Deno.test("readTime() refuses times that do not exist, and other forms", () => {
  for (const text of ["260230000000Z", "261301000000Z", "260100000000Z", "260101240000Z", "260101006000Z"]) {
    assert.throws(() => read(TAG.UTC_TIME, text), { name: "DerError", message: /does not exist/ });
  }
  for (const text of ["2601010000Z", "260101000000+0100", "260101000000", ""]) {
    assert.throws(() => read(TAG.UTC_TIME, text), { name: "DerError", message: /unknown form/ });
  }
});
