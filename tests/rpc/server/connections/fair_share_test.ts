/** How connections are shared out, and who makes room. */
import assert from "node:assert/strict";
import { connectionLimits, MIN_CONNECTIONS } from "../../../../rpc/server/connections/connection_limits.ts";
import { FairShare } from "../../../../rpc/server/connections/fair_share.ts";

Deno.test("connectionLimits() gives each class a share, and never more than there are", () => {
  for (const maxConnections of [MIN_CONNECTIONS, 17, 96, 480, 1_000, 3_000, 100_000]) {
    const limits = connectionLimits({ maxConnections });
    const { maxWaiting, maxHandshakes, maxGuests, maxMembers, maxPerUser } = limits;
    assert.equal(maxWaiting + maxHandshakes + maxGuests + maxMembers, maxConnections);
    for (const share of [maxWaiting, maxHandshakes, maxGuests, maxPerUser]) assert.ok(share >= 1);
    assert.ok(maxMembers > maxConnections / 2, "users have more than half");
    assert.ok(maxPerUser < maxMembers, "one user leaves room for another");
  }
});

Deno.test("connectionLimits() takes what is given, and leaves users a share", () => {
  const limits = connectionLimits({
    maxConnections: 100,
    maxHandshakes: 1_000,
    maxConnectionsPerUser: 3,
    maxConnectionsPerAddress: 7,
  });
  assert.equal(limits.maxPerUser, 3);
  assert.equal(limits.maxPerAddress, 7);
  assert.ok(limits.maxMembers >= 16, `${limits.maxMembers}`);
});

Deno.test("Share.largest() gives the group with the most items, oldest first", () => {
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
