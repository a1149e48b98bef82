/** Tests for the number of jobs in each state. */
import assert from "node:assert/strict";
import { StateCounts } from "../../../worker/store/state_counts.ts";

Deno.test("change() moves a job between states, adds a new one, and drops a removed one", () => {
  const counts = new StateCounts({ INITIAL: 2, LOST: 1 });
  assert.equal(counts.total, 3);
  counts.change(undefined, "INITIAL");
  counts.change("INITIAL", "RUNNING");
  counts.change("LOST", undefined);
  const { INITIAL, RUNNING, LOST, FAILED } = counts.byState();
  assert.deepEqual([INITIAL, RUNNING, LOST, FAILED, counts.total], [2, 1, 0, 0, 3]);
});
