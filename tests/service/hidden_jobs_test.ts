/** Hidden jobs look like missing ones in every call: by code, message, work and time. */
import assert from "node:assert/strict";
import { Supervisor } from "../../mod.ts";
import type { JobWorkerClient } from "../../proto/service.ts";
import { createService } from "../../service/handlers/service.ts";
import { clientOf, startService } from "../support/service.ts";
import { callerOf, CALLS, GONE, MISSING } from "./policy_table.ts";
import { tempDir } from "../support/temp_dir.ts";

type Call = (calls: JobWorkerClient, id: string) => Promise<unknown>;

const ON_A_JOB: [string, Call][] = [
  ...Object.entries(CALLS),
  ["CanI", (calls, id) => calls.CanI({ call: "Stop", id })],
];

/** Everything that a caller learns about a job. */
async function learnt(call: Call, calls: JobWorkerClient, id: string): Promise<string> {
  const told = await call(calls, id).catch((error) => {
    assert.equal(error.code, GONE);
    return { code: error.code, name: error.name, message: error.message };
  });
  return JSON.stringify(told).replaceAll(id, "ID");
}

/** Jobs of the user bob in every lasting state. */
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
  Deno.test(`${name} refuses a hidden job and a missing one with the same message, in every state`, async () => {
    await using service = startService();
    const calls = service.as(callerOf("operator"));
    const missing = await learnt(call, calls, MISSING);
    assert.match(missing, /Unknown job \\"ID\\": /);
    for (const id of await othersJobs(service.supervisor)) assert.equal(await learnt(call, calls, id), missing);
  });
}

/** A supervisor that lists its calls. */
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
  Deno.test(`${name} looks up a hidden job and a missing one once, and does nothing else`, async () => {
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

Deno.test("the time of an answer is the same for hidden and missing jobs", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  {
    await using supervisor = new Supervisor({ closeGraceMs: 100, directory });
    const ids = [MISSING, ...await othersJobs(supervisor)];
    const calls = clientOf(createService(supervisor), callerOf("operator"));
    const timesUs = ids.map((): number[] => []);
    // One of each in turn, so other load affects all of them. The first rounds only warm up.
    for (let round = 0; round < 1_200; round++) {
      for (const [index, id] of ids.entries()) {
        const beganMs = performance.now();
        await calls.Status({ id }).catch(() => {});
        if (round >= 200) timesUs[index]!.push((performance.now() - beganMs) * 1_000);
      }
    }
    const medians = timesUs.map((times) => times.sort((one, other) => one - other)[times.length >> 1]!);
    // One more look-up, or a wait for the disk, takes several times as long. So does a wait for a process. The jitter of
    // a network does not hide that.
    const spread = Math.max(...medians) - Math.min(...medians);
    const text = medians.map((us) => us.toFixed(1)).join(", ");
    assert.ok(spread < 50 || Math.max(...medians) < 2 * Math.min(...medians), `Medians in microseconds: ${text}`);
  }
});
