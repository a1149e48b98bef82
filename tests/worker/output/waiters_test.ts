/** Many who wait for one log: every one is woken, by growth or by its own signal, however many wait and with whatever. */
import assert from "node:assert/strict";
import { OutputLog } from "../../../worker/output/log.ts";

async function withLog(use: (log: OutputLog) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "teleport_waiters_" });
  const log = new OutputLog("one", { directory: `${directory}/log` });
  try {
    await use(log);
  } finally {
    await log.seal();
    await log.remove();
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("OutputLog.grown() wakes all of a thousand waiters, each line anew", () =>
  withLog(async (log) => {
    const signals = Array.from({ length: 1_000 }, () => new AbortController().signal);
    for (let line = 0; line < 3; line++) {
      const { position } = log.end;
      const waits = signals.map((signal) => log.waitForGrowth(position, signal));
      await log.append("stdout", new TextEncoder().encode(`line ${line}\n`));
      await Promise.all(waits);
      assert.ok(log.end.position > position);
    }
  }));

Deno.test("OutputLog.grown() wakes all waits that share a signal, by growth and by abort", () =>
  withLog(async (log) => {
    const controller = new AbortController();
    const grown = [1, 2, 3].map(() => log.waitForGrowth(0, controller.signal));
    await log.append("stdout", new Uint8Array(1));
    await Promise.all(grown);
    const aborted = [1, 2, 3].map(() => log.waitForGrowth(log.end.position, controller.signal));
    const other = log.waitForGrowth(log.end.position, new AbortController().signal);
    controller.abort(new Error("enough"));
    for (const wait of aborted) await assert.rejects(wait, /enough/);
    await log.append("stderr", new Uint8Array(1));
    await other;
  }));

Deno.test("OutputLog.grown() lets waiters be aborted while others are being woken", () =>
  withLog(async (log) => {
    const controllers = Array.from({ length: 300 }, () => new AbortController());
    const waits = controllers.map(async ({ signal }, n) => {
      await log.waitForGrowth(0, signal);
      // The first to wake aborts the last, whose turn has not come.
      if (n === 0) controllers.at(-1)?.abort(new Error("too late"));
    });
    await log.append("stdout", new Uint8Array(1));
    const results = await Promise.allSettled(waits);
    assert.deepEqual(results.map(({ status }) => status), [...Array(299).fill("fulfilled"), "rejected"]);
  }));
