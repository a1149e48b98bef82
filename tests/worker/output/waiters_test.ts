/** Tests of many readers that wait for one log to grow, each with a signal. */
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

Deno.test("OutputLog.waitForGrowth() wakes all of a thousand readers at each line", () =>
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

Deno.test("OutputLog.waitForGrowth() ends all waits with one signal, by growth and by abort", () =>
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

Deno.test("OutputLog.waitForGrowth() can be aborted while other readers wake", () =>
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
  }));
