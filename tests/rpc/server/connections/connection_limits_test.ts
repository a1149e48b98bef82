/** Tests of rpc/server/connections/connection_limits.ts. */
import assert from "node:assert/strict";
import { connectionLimits, MIN_CONNECTIONS } from "../../../../rpc/server/connections/connection_limits.ts";

Deno.test("connectionLimits() gives each stage slots, and no more than the total", () => {
  for (const maxConnections of [MIN_CONNECTIONS, 17, 96, 480, 1_000, 3_000, 100_000]) {
    const limits = connectionLimits({ maxConnections });
    const { maxWaiting, maxHandshakes, maxGuests, maxMembers, maxPerUser } = limits;
    assert.equal(maxWaiting + maxHandshakes + maxGuests + maxMembers, maxConnections);
    for (const share of [maxWaiting, maxHandshakes, maxGuests, maxPerUser]) assert.ok(share >= 1);
    assert.ok(maxMembers > maxConnections / 2, "users have more than half");
    assert.ok(maxPerUser < maxMembers, "one user leaves room for another");
  }
});

Deno.test("connectionLimits() uses the given limits, and leaves slots for users", () => {
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
