/** Tests of rpc/server/limits/refused_calls.ts. */
import assert from "node:assert/strict";
import { RefusedCalls } from "../../../../rpc/server/limits/refused_calls.ts";

Deno.test("add() allows each user 1,000 refused calls in 10 seconds, or 4,000 beyond the limits", () => {
  const calls = new RefusedCalls();
  for (let count = 0; count < 1_000; count++) assert.equal(calls.add("ann", "REFUSED", 0), false);
  assert.equal(calls.add("ann", "REFUSED", 9_999), true);
  assert.equal(calls.add("ann", "ADMITTED", 9_999), false);
  assert.equal(calls.add("bob", "REFUSED", 9_999), false);
  for (let count = 0; count < 4_000; count++) assert.equal(calls.add("eve", "LIMITED", 9_999), false);
  assert.equal(calls.add("eve", "LIMITED", 9_999), true);
  assert.equal(calls.add("ann", "REFUSED", 10_000), false);
});

Deno.test("add() always allows a program with 50 refused calls a second", () => {
  const calls = new RefusedCalls();
  for (let nowMs = 0; nowMs < 60_000; nowMs += 20) assert.equal(calls.add("ann", "REFUSED", nowMs), false);
});
