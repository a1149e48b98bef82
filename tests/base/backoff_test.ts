/** Tests of waits between attempts. */
import assert from "node:assert/strict";
import { Backoff, sleep } from "../../base/backoff.ts";

Deno.test("Backoff.nextMs() doubles up to its maximum", () => {
  const backoff = new Backoff(1, 5);
  assert.deepEqual([1, 2, 3, 4, 5].map(() => backoff.nextMs()), [1, 2, 4, 5, 5]);
});

Deno.test("Backoff.nextMs() doubles without a limit by default", () => {
  const backoff = new Backoff(3);
  assert.deepEqual([1, 2, 3].map(() => backoff.nextMs()), [3, 6, 12]);
});

Deno.test("Backoff.wait() waits at least the next time", async () => {
  const backoff = new Backoff(5);
  const start = performance.now();
  await backoff.wait();
  assert.ok(performance.now() - start >= 4);
  assert.equal(backoff.nextMs(), 10);
});

Deno.test("sleep() rejects with the signal's reason and leaves no timer", async () => {
  const reason = new Error("enough");
  const stop = new AbortController();
  const sleeping = sleep(60_000, stop.signal);
  stop.abort(reason);
  await assert.rejects(sleeping, reason);
  await assert.rejects(sleep(60_000, stop.signal), reason);
});
