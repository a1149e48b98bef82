/** Tests of rpc/server/connections/fair_share.ts. */
import assert from "node:assert/strict";
import { FairShare } from "../../../../rpc/server/connections/fair_share.ts";

Deno.test("largestGroup() returns the group with the most items, oldest first", () => {
  const share = new FairShare<string>(5);
  share.add("a1", "a");
  share.add("b1", "b");
  share.add("b2", "b");
  assert.deepEqual([...share.largestGroup()], ["b1", "b2"]);
  assert.equal(share.delete("b1"), true);
  assert.equal(share.delete("b1"), false);
  share.add("a2", "a");
  assert.deepEqual([...share.largestGroup()], ["a1", "a2"]);
  assert.deepEqual([...share.items()], ["a1", "b2", "a2"]);
  assert.equal(share.isFull, false);
  for (const item of ["b2", "a1", "a2"]) share.delete(item);
  assert.deepEqual([...share.largestGroup()], []);
  assert.equal(share.size, 0);
});
