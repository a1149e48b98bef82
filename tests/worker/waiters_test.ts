/** Tests of the callers that wait for a change. */
import assert from "node:assert/strict";
import { Waiters } from "../../worker/waiters.ts";

Deno.test("Waiters.wakeAll() wakes every caller that waits, and no later caller", async () => {
  const waiters = new Waiters();
  const { signal } = new AbortController();
  const waiting = [waiters.wait(signal), waiters.wait(signal)];
  waiters.wakeAll();
  await Promise.all(waiting);
  let isWoken = false;
  const later = waiters.wait(signal).then(() => isWoken = true);
  await Promise.resolve();
  assert.equal(isWoken, false);
  waiters.wakeAll();
  await later;
});

Deno.test("Waiters.wait() resolves when its signal aborts", async () => {
  const waiters = new Waiters();
  const abort = new AbortController();
  const waiting = waiters.wait(abort.signal);
  abort.abort();
  await waiting;
});
