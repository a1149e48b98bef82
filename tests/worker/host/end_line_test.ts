/** Tests for the lines of a journal of ends: torn and damaged ones. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CLOSING_LINE, encodeEnd, journalPath, readEnds } from "../../../worker/host/end_line.ts";
import { Random, seedFor } from "../../support/random.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { endOf, endsIn, idsIn } from "./ends.ts";

Deno.test("readEnds() returns nothing for a host without a journal", async () => {
  await using temporary = await tempDir();
  assert.deepEqual(endsIn(temporary.path), []);
  assert.deepEqual(endsIn(join(temporary.path, "none")), []);
});

Deno.test("readEnds() ignores a torn last line, wherever it is torn", async () => {
  await using temporary = await tempDir();
  const first = encodeEnd(endOf("a"));
  const second = encodeEnd(endOf("b"));
  const bytes = new Uint8Array([...first, ...second]);
  for (let length = 0; length <= bytes.length; length++) {
    Deno.writeFileSync(journalPath(temporary.path), bytes.subarray(0, length));
    const whole = length === bytes.length ? ["a", "b"] : length >= first.length ? ["a"] : [];
    assert.deepEqual(idsIn(temporary.path), whole);
  }
});

Deno.test("readEnds() never returns a damaged end, and keeps the lines that are not damaged", async () => {
  await using temporary = await tempDir();
  const random = new Random(seedFor("readEnds()"));
  const ends = ["a", "b", "c", "d"].map((id) => endOf(id));
  const bytes = new Uint8Array(ends.flatMap((end) => [...encodeEnd(end)]));
  for (let round = 0; round < 300; round++) {
    const damaged = bytes.slice();
    const at = random.below(damaged.length - 1); // The last line feed makes a torn line.
    damaged[at]! ^= 1 + random.below(255);
    Deno.writeFileSync(journalPath(temporary.path), damaged);
    const lines: number[] = [];
    const { ends: found } = readEnds(temporary.path, (line) => void lines.push(line));
    for (const [id, end] of found) assert.deepEqual(end, ends.find((one) => one.id === id), `byte ${at}`);
    assert.ok(lines.length >= 1 && lines.length <= 2 && found.size >= 2, `byte ${at}`);
  }
});

/** Returns whether a host with such a journal has left all ends. */
function areComplete(directory: string, ...parts: readonly Uint8Array[]): boolean {
  Deno.writeFileSync(journalPath(directory), new Uint8Array(parts.flatMap((part) => [...part])));
  return readEnds(directory, () => {}).areComplete;
}

Deno.test("readEnds() says that ends are complete only when a whole closing line is the last one", async () => {
  await using temporary = await tempDir();
  const { path } = temporary;
  const end = encodeEnd(endOf("a"));
  assert.equal(readEnds(path, () => {}).areComplete, false, "A host that was killed, without an end");
  assert.equal(readEnds(join(path, "none"), () => {}).areComplete, true, "A host that removed its directory");
  assert.equal(areComplete(path, end), false, "A host that was killed, or of an earlier version");
  assert.equal(areComplete(path, end, CLOSING_LINE), true);
  assert.deepEqual(idsIn(path), ["a"]);
  assert.equal(areComplete(path, CLOSING_LINE, end), false, "A line after the last one");
  for (let length = 0; length < CLOSING_LINE.length; length++) {
    assert.equal(
      areComplete(path, end, CLOSING_LINE.subarray(0, length)),
      false,
      `${length} bytes of the closing line`,
    );
  }
});

Deno.test("readEnds() says that ends are not complete when any byte is damaged", async () => {
  await using temporary = await tempDir();
  const bytes = new Uint8Array([...encodeEnd(endOf("a")), ...encodeEnd(endOf("b")), ...CLOSING_LINE]);
  const random = new Random(seedFor("readEnds()"));
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1 + random.below(255);
    assert.equal(areComplete(temporary.path, damaged), false, `byte ${at}`);
  }
});
