/** Tests that long scans let the event loop turn. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Supervisor } from "../../mod.ts";

/** Returns the number of turns of the event loop during a call. */
async function turnsDuring(act: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const stopped = new Promise<void>((resolve) => {
    const tick = () => {
      turns += 1;
      if (isOver) resolve();
      else setImmediate(tick);
    };
    setImmediate(tick);
  });
  await act();
  isOver = true;
  await stopped;
  return turns;
}

async function ended(supervisor: Supervisor, script: string): Promise<string> {
  const id = await supervisor.add("sh", ["-c", script]);
  await supervisor.start(id);
  for await (const { state } of supervisor.watchStatus(id)) if (state === "EXITED") break;
  return id;
}

Deno.test("watchOutput() lets the event loop turn while it searches many lines or skips the other stream", async () => {
  await using supervisor = new Supervisor();
  const id = await ended(supervisor, "yes | head -c 60000000");
  for (const selection of [{ tailLines: 1_000_000_000 }, { stream: "stderr" as const }]) {
    const turns = await turnsDuring(async () => {
      const watch = supervisor.watchOutput(id, { ...selection, follow: false });
      await watch.next();
      await watch.return();
    });
    // A scan that blocks the loop takes one turn. The second scan takes 25 ms on an idle machine, so 2 or 3 turns.
    assert.ok(turns > 1, `${JSON.stringify(selection)}: ${turns} turns`);
  }
});

Deno.test("list() lets the event loop turn on pages of jobs with long command lines", async () => {
  await using supervisor = new Supervisor();
  const args = Array<string>(2_000).fill("0123456789");
  for (let count = 0; count < 30; count++) await supervisor.add("true", args);
  let jobs = 0;
  const turns = await turnsDuring(async () => {
    for (let page = 0; page < 20; page++) jobs += (await supervisor.list({ pageSize: 1_000 })).jobs.length;
  });
  assert.equal(jobs, 600);
  assert.ok(turns > 2, `${turns} turns`);
});
