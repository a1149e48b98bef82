/** Tests of `joinBytes()`. */
import assert from "node:assert/strict";
import { joinBytes } from "../../base/join_bytes.ts";

Deno.test("joinBytes() keeps the order and leaves the parts unchanged", () => {
  const parts = [Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3)];
  const whole = joinBytes(parts);
  assert.deepEqual([...whole], [1, 2, 3]);
  whole[0] = 9;
  assert.deepEqual([...parts[0]!], [1, 2]);
  assert.equal(joinBytes([]).length, 0);
});
