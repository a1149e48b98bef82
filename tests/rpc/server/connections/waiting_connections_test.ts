/** Tests of rpc/server/connections/waiting_connections.ts. */
import assert from "node:assert/strict";
import { type PendingConnection, WaitingConnections } from "../../../../rpc/server/connections/waiting_connections.ts";

function pending(descriptor: number, group: string, atMs = performance.now()): PendingConnection {
  return { descriptor, group, atMs, peer: { host: group, port: 1 } };
}

Deno.test("WaitingConnections counts silent and ready connections, and returns the oldest ready one", () => {
  const waiting = new WaitingConnections(3);
  const [one, two, three] = [pending(1, "a"), pending(2, "a"), pending(3, "b")];
  waiting.addSilent(one);
  waiting.addReady(two);
  waiting.addReady(three);
  assert.deepEqual([waiting.size, waiting.isFull, waiting.hasReady], [3, true, true]);
  assert.deepEqual(waiting.descriptors(), [1], "only silent connections are watched");
  assert.equal(waiting.takeReady(), two);
  waiting.remove(one);
  assert.equal(waiting.find(1), undefined);
  assert.deepEqual(waiting.all(), [three]);
});

Deno.test("toReplace() returns the oldest silent connection of the address with the most", () => {
  const waiting = new WaitingConnections(10);
  assert.equal(waiting.toReplace(), undefined);
  assert.equal(waiting.replaceableInMs(performance.now()), undefined);
  const first = pending(2, "b");
  for (const connection of [pending(1, "a"), first, pending(3, "b")]) waiting.addSilent(connection);
  assert.equal(waiting.toReplace(), first);
  const waitMs = waiting.replaceableInMs(performance.now())!;
  assert.ok(waitMs > 0 && waitMs <= 500, `${waitMs} ms`);
});

Deno.test("replaceableInMs(performance.now()) is 0 after the hold time", () => {
  const waiting = new WaitingConnections(10);
  waiting.addSilent(pending(1, "a", performance.now() - 501));
  assert.equal(waiting.replaceableInMs(performance.now()), 0);
});
