/** Tests of rpc/server/adapter/unary.ts. */
import assert from "node:assert/strict";
import type { CallContext } from "../../../../proto/service.ts";
import { aborted, connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";
import { deadline } from "../../../support/deadline.ts";

Deno.test("unaryHandler() aborts the signal when the client leaves, and after the answer", async () => {
  const contexts: CallContext[] = [];
  const begun = Promise.withResolvers<void>();
  await using server = await serveLocally({
    Status: (_, context) => Promise.resolve({ pid: contexts.push(context) }),
    Stop: async (_, context) => {
      contexts.push(context);
      begun.resolve();
      await aborted(context.signal);
      throw new Error("The client has left");
    },
  });
  await using client = connectTo(server);
  await client.calls.Status({});
  await aborted(contexts[0]!.signal);
  const abort = new AbortController();
  const call = failure(client.calls.Stop({}, { signal: abort.signal }));
  await deadline(begun.promise);
  assert.equal(contexts[1]!.signal.aborted, false);
  abort.abort();
  assert.equal((await call).status, "CANCELLED");
  await aborted(contexts[1]!.signal);
});
