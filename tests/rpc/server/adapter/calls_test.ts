/** Tests of rpc/server/adapter/calls.ts. */
import assert from "node:assert/strict";
import { all, connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";

Deno.test("encode() throws when an answer is larger than clients accept", async () => {
  let left = false;
  await using server = await serveLocally({
    GetOutput: async function* () {
      try {
        yield { data: new Uint8Array(5 * 1024 * 1024) };
      } finally {
        left = true;
      }
    },
    Status: () => Promise.resolve({ id: "x".repeat(5 * 1024 * 1024) }),
  });
  await using client = connectTo(server);
  for (const call of [() => all(client.calls.GetOutput({})), () => client.calls.Status({})]) {
    const { status, message } = await failure(call());
    assert.equal(status, "RESOURCE_EXHAUSTED");
    assert.match(message, /at most 4194304/);
  }
  assert.equal(left, true);
});

Deno.test("encode() makes a call fail with INTERNAL when its answer cannot be encoded", async () => {
  const reported: unknown[] = [];
  await using server = await serveLocally({
    Status: () => Promise.resolve({ registered_at: 5 } as unknown as Record<string, never>),
  }, { onInternalError: (error) => void reported.push(error) });
  await using client = connectTo(server);
  assert.equal((await failure(client.calls.Status({}))).status, "INTERNAL");
  assert.equal(reported.length, 1);
});
