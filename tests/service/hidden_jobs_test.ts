/** Others' jobs and missing ones cannot be told apart: not by code, message, work or time, by any call. */
import assert from "node:assert/strict";
import { Supervisor } from "../../mod.ts";
import type { JobWorkerClient } from "../../proto/service.ts";
import { createService } from "../../service/handlers/service.ts";
import { clientOf, startService } from "../support/service.ts";
import { callerOf, CALLS, GONE, MISSING } from "./policy_table.ts";

type Call = (calls: JobWorkerClient, id: string) => Promise<unknown>;

const ON_A_JOB: [string, Call][] = [
  ...Object.entries(CALLS),
  ["CanI", (calls, id) => calls.CanI({ call: "Stop", id })],
];

/** All that a caller learns of a job. */
async function learnt(call: Call, calls: JobWorkerClient, id: string): Promise<string> {
  const told = await call(calls, id).catch((error) => {
    assert.equal(error.code, GONE);
    return { code: error.code, name: error.name, message: error.message };
  });
  return JSON.stringify(told).replaceAll(id, "ID");
}

/** Jobs of bob's in every state that can be kept. */
async function othersJobs(supervisor: Supervisor): Promise<string[]> {
  const initial = await supervisor.add("true", [], { owner: "bob", labels: { team: "web" } });
  const running = await supervisor.add("sleep", ["1000"], { owner: "bob" });
  await supervisor.start(running);
  const failed = await supervisor.add("/nowhere", [], { owner: "bob" });
  await supervisor.start(failed);
  for await (const _ of supervisor.watchStatus(failed));
  return [initial, running, failed];
}

for (const [name, call] of ON_A_JOB) {
  Deno.test(`${name} tells another's job and a missing one in the same words, whatever its state`, async () => {
    await using service = startService();
    const calls = service.as(callerOf("operator"));
    const missing = await learnt(call, calls, MISSING);
    assert.match(missing, /Unknown job \\"ID\\": /);
    for (const id of await othersJobs(service.supervisor)) assert.equal(await learnt(call, calls, id), missing);
  });
}

/** A supervisor that keeps a list of what it is asked. */
function listening(supervisor: Supervisor, asked: string[]): Supervisor {
  return new Proxy(supervisor, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        asked.push(`${String(name)} ${args[0]}`);
        return value.apply(target, args);
      };
    },
  });
}

for (const [name, call] of ON_A_JOB) {
  Deno.test(`${name} does the same for another's job as for a missing one: one look-up and nothing else`, async () => {
    await using supervisor = new Supervisor({ closeGraceMs: 100 });
    const others = await othersJobs(supervisor);
    const asked: string[] = [];
    const calls = clientOf(createService(listening(supervisor, asked)), callerOf("operator"));
    for (const id of [MISSING, ...others]) {
      await learnt(call, calls, id);
      assert.deepEqual(asked.splice(0), [`status ${id}`]);
    }
  });
}

Deno.test("the time of an answer tells nobody whether there is such a job", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-hidden-" });
  {
    await using supervisor = new Supervisor({ closeGraceMs: 100, directory });
    const ids = [MISSING, ...await othersJobs(supervisor)];
    const calls = clientOf(createService(supervisor), callerOf("operator"));
    const timesUs = ids.map((): number[] => []);
    // One of each in turn, so that whatever else the machine does falls on all alike; the first ones only warm up.
    for (let round = 0; round < 1_200; round++) {
      for (const [index, id] of ids.entries()) {
        const beganMs = performance.now();
        await calls.Status({ id }).catch(() => {});
        if (round >= 200) timesUs[index]!.push((performance.now() - beganMs) * 1_000);
      }
    }
    const medians = timesUs.map((times) => times.sort((one, other) => one - other)[times.length >> 1]!);
    // A look-up more, or one that waits for the disk or a process, takes several times as long, or far longer than what a
    // network's own jitter hides.
    const spread = Math.max(...medians) - Math.min(...medians);
    const text = medians.map((us) => us.toFixed(1)).join(", ");
    assert.ok(spread < 50 || Math.max(...medians) < 2 * Math.min(...medians), `Medians in microseconds: ${text}`);
  }
  await Deno.remove(directory, { recursive: true });
});
