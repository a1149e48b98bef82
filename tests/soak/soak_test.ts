/** Runs the soak for seconds: every round succeeds and nothing stays open. */
import assert from "node:assert/strict";
import { ROUNDS } from "./load.ts";
import { judge, soak } from "./soak.ts";

Deno.test("soak() finds no error and no descriptor left open in five seconds", async () => {
  const result = await soak(5_000);
  assert.deepEqual(result.errors, []);
  assert.deepEqual(Object.keys(result.rounds).sort(), Object.keys(ROUNDS).sort());
  assert.ok(result.after.descriptors <= result.before.descriptors, JSON.stringify(result));
});

Deno.test("judge() names memory that grew, descriptors left open, a slow part, and errors", () => {
  const part = { memoryBytes: 100, descriptors: 20, latencyP99Ms: 10, latencyMedianMs: 1 };
  const flat = {
    windows: [part, part],
    rounds: {},
    errors: [],
    before: { memoryBytes: 100, descriptors: 20 },
    after: { memoryBytes: 100, descriptors: 20 },
  };
  assert.deepEqual(judge(flat), []);
  assert.match(judge({ ...flat, windows: [part, { ...part, memoryBytes: 200 }] }).join(), /memory grew/);
  assert.match(judge({ ...flat, windows: [part, { ...part, latencyP99Ms: 300 }] }).join(), /part 2 is 300 ms/);
  assert.match(judge({ ...flat, after: { ...flat.after, descriptors: 21 } }).join(), /21 descriptors/);
  assert.deepEqual(judge({ ...flat, errors: ["input: cut"] }), ["input: cut"]);
  assert.deepEqual(judge({ ...flat, windows: [] }), ["nothing was measured"]);
});
