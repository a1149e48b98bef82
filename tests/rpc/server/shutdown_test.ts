/**
 * Tests of shutdown() of rpc/server/server.ts during calls: open calls are answered completely, and later calls fail.
 * Slow: it waits for time limits.
 */
import assert from "node:assert/strict";
import { all, connectTo, failure, serveLocally } from "../../support/rpc_server.ts";

Deno.test("shutdown() waits until clients have read their streams to the end", async () => {
  const MESSAGES = 200;
  for (let times = 0; times < 5; times++) {
    const go = Promise.withResolvers<void>();
    const server = await serveLocally({
      GetOutput: async function* () {
        yield {};
        await go.promise;
        for (let offset = 1; offset < MESSAGES; offset++) yield { offset, data: new Uint8Array(1_000) };
      },
      Start: async function* () {
        yield { id: "first" };
        await go.promise;
        yield { id: "last" };
      },
    });
    await using client = connectTo(server);
    const output = client.calls.GetOutput({})[Symbol.asyncIterator]();
    const statuses = client.calls.Start({})[Symbol.asyncIterator]();
    await Promise.all([output.next(), statuses.next()]);
    go.resolve();
    const stopped = server.shutdown({ graceMs: 60_000 });
    for (let offset = 1; offset < MESSAGES; offset++) assert.equal((await output.next()).value?.offset, offset);
    assert.equal((await output.next()).done, true);
    assert.equal((await statuses.next()).value?.id, "last");
    assert.equal((await statuses.next()).done, true);
    await stopped;
  }
});

Deno.test("shutdown() right after the last message waits until it was read", async () => {
  for (let times = 0; times < 5; times++) {
    const sent = Promise.withResolvers<void>();
    const server = await serveLocally({
      GetOutput: async function* () {
        for (let offset = 0; offset < 20; offset++) yield { offset };
        sent.resolve();
      },
    });
    await using client = connectTo(server);
    const output = all(client.calls.GetOutput({}));
    await sent.promise;
    await server.shutdown({ graceMs: 60_000 });
    assert.equal((await output).length, 20);
  }
});

Deno.test("shutdown() refuses further calls on a connection with an open call", async () => {
  const begun = Promise.withResolvers<void>();
  const { promise: answer, resolve } = Promise.withResolvers<{ id: string }>();
  const server = await serveLocally({
    Status: () => {
      begun.resolve();
      return answer;
    },
    List: () => assert.fail("called"),
  });
  await using client = connectTo(server);
  const call = client.calls.Status({});
  await begun.promise;
  const stopped = server.shutdown({ graceMs: 60_000 });
  const { status, message } = await failure(client.calls.List({}));
  assert.deepEqual([status, message], ["UNAVAILABLE", "The server is shutting down: try again when it is back"]);
  resolve({ id: "after all" });
  assert.equal((await call).id, "after all");
  await stopped;
});

Deno.test("shutdown() closes idle connections at once", async () => {
  const server = await serveLocally({});
  await using first = connectTo(server);
  await using second = connectTo(server);
  await Promise.all([first.health(), second.health()]);
  await new Promise((resolve) => setTimeout(resolve, 600)); // Longer than the time to read the end of a call.
  const begin = performance.now();
  await server.shutdown({ graceMs: 60_000 });
  assert.ok(performance.now() - begin < 400);
});
