/** Tests of the statuses of one job. */
import assert from "node:assert/strict";
import { StatusHistory } from "../../../worker/job/history.ts";

const { signal } = new AbortController();
const STARTING = { state: "STARTING", startedAt: new Date(1) } as const;
const FAILED = {
  state: "FAILED",
  reason: "START_FAILED",
  error: "x",
  errorCode: "SPAWN_FAILED",
  endedAt: new Date(2),
} as const;

Deno.test("StatusHistory.read() returns each status once, from before and after the call, up to the final one", async () => {
  const history = new StatusHistory({ state: "INITIAL" });
  const states = Array.fromAsync(history.read(0, signal), ({ state }) => state);
  history.add(STARTING);
  await Promise.resolve();
  assert.deepEqual([history.readers, history.isFinal], [1, false]);
  history.add(FAILED);
  assert.deepEqual(await states, ["INITIAL", "STARTING", "FAILED"]);
  assert.deepEqual([history.readers, history.isFinal, history.latest], [0, true, FAILED]);
  await history.waitForFinal(signal);
});

Deno.test("StatusHistory.abandon() rejects waits before and after the call", async () => {
  const history = new StatusHistory({ state: "INITIAL" });
  const reason = new Error("gone");
  const before = history.waitForFinal(signal);
  history.abandon(reason);
  await assert.rejects(before, reason);
  await assert.rejects(history.waitForFinal(signal), reason);
});

Deno.test("StatusHistory.waitForFinal() rejects with the reason of its signal", async () => {
  const abort = new AbortController();
  const waiting = new StatusHistory({ state: "INITIAL" }).waitForFinal(abort.signal);
  const reason = new Error("left");
  abort.abort(reason);
  await assert.rejects(waiting, reason);
});
