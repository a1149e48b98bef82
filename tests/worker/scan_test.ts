/** Scans of large logs and pages of long jobs let the event loop turn. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Supervisor } from "../../mod.ts";

/** Counts the turns of the event loop while something is done. */
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

Deno.test("a tail of many lines, and one stream of a log of the other, let the event loop turn", async () => {
  await using supervisor = new Supervisor();
  const id = await ended(supervisor, "yes | head -c 60000000");
  for (const selection of [{ tailLines: 1_000_000_000 }, { stream: "stderr" as const }]) {
    const turns = await turnsDuring(async () => {
      const watch = supervisor.watchOutput(id, { ...selection, follow: false });
      await watch.next();
      await watch.return();
    });
    // Both stood the loop to their end: one turn. The second takes 25 ms where the machine is free, so 2 or 3 turns.
    assert.ok(turns > 1, `${JSON.stringify(selection)}: ${turns} turns`);
  }
});

Deno.test("a page of jobs with long command lines lets the event loop turn", async () => {
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
