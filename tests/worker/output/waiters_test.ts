/** Tests of many readers that wait for one log to grow, each with a signal. */
import assert from "node:assert/strict";
import { append, never, turn, withLog } from "./fixture.ts";

Deno.test(
  "OutputLog.waitForGrowth() wakes all of a thousand readers at each line",
  withLog(async (log) => {
    const signals = Array.from({ length: 1_000 }, () => new AbortController().signal);
    for (let line = 0; line < 3; line++) {
      const { position } = log.end;
      const waits = signals.map((signal) => log.waitForGrowth(position, signal));
      await log.append("stdout", new TextEncoder().encode(`line ${line}\n`));
      await Promise.all(waits);
      assert.ok(log.end.position > position);
    }
  }),
);

Deno.test(
  "OutputLog.waitForGrowth() ends all waits with one signal, by growth and by abort",
  withLog(async (log) => {
    const controller = new AbortController();
    const grown = [1, 2, 3].map(() => log.waitForGrowth(0, controller.signal));
    await log.append("stdout", new Uint8Array(1));
    await Promise.all(grown);
    const aborted = [1, 2, 3].map(() => log.waitForGrowth(log.end.position, controller.signal));
    const other = log.waitForGrowth(log.end.position, new AbortController().signal);
    controller.abort(new Error("enough"));
    await Promise.all(aborted.map((wait) => assert.rejects(wait, /enough/)));
    await log.append("stderr", new Uint8Array(1));
    await other;
  }),
);

Deno.test(
  "OutputLog.waitForGrowth() can be aborted while other readers wake",
  withLog(async (log) => {
    const controllers = Array.from({ length: 300 }, () => new AbortController());
    const waits = controllers.map(async ({ signal }, n) => {
      await log.waitForGrowth(0, signal);
      // The first reader aborts the last one, which is not awake yet.
      if (n === 0) controllers.at(-1)?.abort(new Error("too late"));
    });
    await log.append("stdout", new Uint8Array(1));
    const results = await Promise.allSettled(waits);
    assert.deepEqual(results.map(({ status }) => status), [...Array(299).fill("fulfilled"), "rejected"]);
  }),
);

Deno.test(
  "OutputLog.waitForGrowth() waits for growth or the seal, and not for existing output",
  withLog(async (log) => {
    const first = log.waitForGrowth(0, never);
    await append(log, "one");
    await first;
    await log.waitForGrowth(0, never);
    let grown = false;
    const second = log.waitForGrowth(log.end.position, never).then(() => grown = true);
    await turn();
    assert.equal(grown, false);
    await log.seal();
    await second;
    await log.waitForGrowth(log.end.position, never);
  }),
);

Deno.test(
  "OutputLog.waitForGrowth() throws the signal's reason, before and during the wait",
  withLog(async (log) => {
    const reason = new Error("enough");
    await assert.rejects(log.waitForGrowth(0, AbortSignal.abort(reason)), reason);
    const abort = new AbortController();
    const waiting = log.waitForGrowth(0, abort.signal);
    abort.abort(reason);
    await assert.rejects(waiting, reason);
  }),
);

Deno.test(
  "OutputLog.abandon() ends current and later waits",
  withLog(async (log) => {
    const reason = new Error("gone");
    const waiting = log.waitForGrowth(0, never);
    log.abandon(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(log.waitForGrowth(0, never), reason);
  }),
);
