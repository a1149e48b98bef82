/** The fields of grpc-js that the server reaches for are where it looks for them. */
import assert from "node:assert/strict";
import { boundRequest, innerOf, streamOf } from "../../../rpc/compat/grpc_call.ts";
import { connectTo, failure, serveLocally } from "../../support/rpc_server.ts";

Deno.test("a call as a handler's server sees it has a stream, a session and an account", async () => {
  await using server = await serveLocally({ Status: () => Promise.resolve({ id: "x" }) });
  await using client = connectTo(server);
  await client.calls.Status({});
  // Counted only where the inner fields were found.
  assert.ok(server.limits.accounts.open.has("/teleport.v1.JobWorker/Status"));
  // The size of one method's messages is set in a field of the decoder.
  const { status, message } = await failure(client.calls.Status({ id: "x".repeat(100_000) }));
  assert.deepEqual([status, /65536/.test(message)], ["RESOURCE_EXHAUSTED", true]);
});

Deno.test("without those fields nothing breaks", () => {
  assert.equal(streamOf({}), undefined);
  assert.equal(innerOf({ call: {} }), undefined);
  boundRequest({}, 1, () => undefined);
  boundRequest({ stream: {} }, 1, () => undefined);
});
