/** Tests of rpc/server/limits/unread_answers.ts and user_accounts.ts. */
import assert from "node:assert/strict";
import { clientCredentials } from "../../../support/certificates.ts";
import { eventually } from "../../../support/deadline.ts";
import { connectTo, serveLocally } from "../../../support/rpc_server.ts";
import { rawClient } from "../../../support/raw_client.ts";

const STATUS = "/teleport.v1.JobWorker/Status";

Deno.test("UnreadAnswers resets a stalled answer when other calls of the user wait for its room", async () => {
  const limits = { maxConnectionBytes: 50_000, maxUserBytes: 50_000, stalledMs: 200 };
  const refused: string[] = [];
  await using server = await serveLocally({
    Status: () => Promise.resolve({ error: "x".repeat(60_000) }),
  }, { limits, onLimit: (cause, user) => refused.push(`${cause} ${user}`) });
  await using silent = await rawClient({ port: server.port, ...clientCredentials, windowBytes: 0 });
  const stalled = silent.call(STATUS, [new Uint8Array()]);
  await eventually(() => server.limits.answers.bytes > 0, "an answer that is not read");
  await using client = connectTo(server);
  assert.equal((await client.calls.Status({})).error.length, 60_000);
  // The code is NGHTTP2_ENHANCE_YOUR_CALM, which gRPC clients report as RESOURCE_EXHAUSTED.
  assert.equal((await stalled.ended).resetCode, 11);
  assert.deepEqual(refused, ["answers_unread ann"]);
  assert.equal(server.limits.accounts.refusals.answers_unread, 1);
});

Deno.test("UserAccounts is empty after all calls have ended", async () => {
  await using server = await serveLocally({
    Status: () => Promise.resolve({ error: "x".repeat(200_000) }),
    async *StatusStream() {
      for (let count = 0; count < 20; count++) yield await Promise.resolve({ error: "x".repeat(20_000) });
    },
  });
  {
    await using client = connectTo(server);
    await Promise.all(Array.from({ length: 50 }, () => client.calls.Status({})));
    const stream = client.calls.StatusStream({})[Symbol.asyncIterator]();
    await stream.next();
    await stream.return?.();
  }
  await eventually(
    () => server.limits.answers.bytes === 0 && [...server.limits.accounts.users].length === 0,
    () => `the end of all calls: ${server.limits.answers.bytes} bytes are still counted`,
  );
  for (const count of server.limits.accounts.open.values()) assert.equal(count, 0);
});
