/** Tests of rpc/server/limits/loop_share.ts: users share the event loop equally, however many calls each has. */
import assert from "node:assert/strict";
import { LoopShare, Turns } from "../../../../rpc/server/limits/loop_share.ts";

/** Keeps the event loop busy. */
function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

Deno.test("enter() admits a call of another user before the many calls of one user", async () => {
  const share = new LoopShare();
  const order: string[] = [];
  const call = async (user: string) => {
    await share.enter(user);
    order.push(user);
    work(4);
  };
  const crowd = Array.from({ length: 50 }, () => call("many"));
  const one = call("one");
  await Promise.all([...crowd, one]);
  assert.equal(order.length, 51);
  // Calls of the first slice ran before the other user's call.
  assert.ok(order.indexOf("one") < 25, `${order.indexOf("one")} calls came before`);
  assert.equal(share.waiting, 0);
});

Deno.test("enter() returns undefined while the event loop is free", () => {
  assert.equal(new LoopShare().enter("one"), undefined);
});

Deno.test("take() admits one call at a time, the users in turn", async () => {
  const turns = new Turns();
  const order: string[] = [];
  let inside = 0;
  const call = async (user: string) => {
    const giveBack = await turns.take(user);
    assert.equal(++inside, 1);
    order.push(user);
    await Promise.resolve();
    inside -= 1;
    giveBack();
    giveBack();
  };
  await Promise.all(["a", "a", "a", "a", "b", "c"].map(call));
  assert.deepEqual(order, ["a", "a", "b", "c", "a", "a"]);
});
