/** Tests of rpc/server/connections/hold_time.ts. */
import assert from "node:assert/strict";
import { HoldTime } from "../../../../rpc/server/connections/hold_time.ts";

Deno.test("HoldTime is 500 ms while connections succeed", () => {
  const time = new HoldTime(100);
  assert.equal(time.ms, 500);
  // One success for each three failures is the usual rate.
  for (let count = 0; count < 100; count++) {
    time.failed();
    time.failed();
    time.succeeded();
  }
  assert.equal(time.ms, 500);
});

Deno.test("HoldTime falls to its minimum while connections fail, and rises after successes", () => {
  const time = new HoldTime(100);
  for (let count = 0; count < 100; count++) time.failed();
  assert.equal(time.ms, 100);
  for (let count = 0; count < 16; count++) time.succeeded();
  assert.equal(time.ms, 500);
});
