/** Tests of the disk space for output that arrives from other machines. */
import assert from "node:assert/strict";
import { OutputBudget } from "../../../worker/output/limit.ts";
import { PlacedQuota } from "../../../worker/supervisor/placed_quota.ts";

const MIB = 1_048_576;

function quotaOf(maxBytes: number, runningBytes = 0, free: (budget: OutputBudget, bytes: number) => void = () => {}) {
  const budget = new OutputBudget(maxBytes);
  const seen = { changes: 0, asked: 0 };
  const quota = new PlacedQuota({
    budget,
    runningBytes: () => {
      seen.asked++;
      return Promise.resolve(runningBytes);
    },
    makeRoom: (bytes) => free(budget, bytes),
    onChange: () => seen.changes++,
  });
  return { budget, quota, seen };
}

Deno.test("PlacedQuota counts the output of running jobs of this machine, and reports what it takes", async () => {
  const { budget, quota, seen } = quotaOf(10 * MIB, 8 * MIB);
  assert.equal(await quota.reserve(MIB), true);
  assert.equal(budget.usedBytes, 2 * MIB);
  assert.equal(seen.changes, 1);
  assert.equal(await quota.reserve(MIB), true, "the space that was reserved before");
  assert.deepEqual([budget.usedBytes, seen.changes, seen.asked], [2 * MIB, 1, 1]);
  assert.equal(await quota.reserve(1), false, "the rest belongs to a running job");
  quota.release(MIB);
  assert.equal(seen.changes, 2);
  assert.equal(await quota.reserve(MIB / 2), true);
  assert.equal(budget.usedBytes, 1.5 * MIB);
});

Deno.test("PlacedQuota removes only as many ended jobs as it needs for room", async () => {
  const removed: number[] = [];
  const { budget, quota } = quotaOf(4 * MIB, 0, (budget, bytes) => {
    removed.push(bytes);
    budget.release(bytes);
  });
  budget.addExisting(4 * MIB);
  assert.equal(await quota.reserve(1_000), true);
  assert.deepEqual([removed, budget.usedBytes], [[1_000], 4 * MIB]);
});

Deno.test("PlacedQuota releases what it does not use when no job is left", async () => {
  const { budget, quota } = quotaOf(4 * MIB);
  await quota.reserve(1_000);
  assert.equal(budget.usedBytes, MIB + 1_000);
  quota.rest();
  assert.equal(budget.usedBytes, 1_000);
});

Deno.test("PlacedQuota reserves nothing ahead when the last job has ended meanwhile", async () => {
  const { budget, quota } = quotaOf(4 * MIB);
  const pending = quota.reserve(1_000);
  quota.rest();
  assert.equal(await pending, true);
  assert.equal(budget.usedBytes, 1_000);
});

Deno.test("PlacedQuota reserves no more ahead for many jobs than for one", async () => {
  const { budget, quota } = quotaOf(100 * MIB);
  assert.deepEqual(await Promise.all(Array.from({ length: 20 }, () => quota.reserve(1_000))), Array(20).fill(true));
  assert.equal(budget.usedBytes, MIB + 20_000);
});

Deno.test("PlacedQuota asks nobody when the disk space has no limit", () => {
  const { quota, seen } = quotaOf(Infinity, 5);
  assert.equal(quota.reserve(MIB), true);
  assert.deepEqual(seen, { changes: 0, asked: 0 });
});
