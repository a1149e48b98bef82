/** Tests of rpc/server/adapter/client_streaming.ts and request_stream.ts. */
import assert from "node:assert/strict";
import type { CallContext } from "../../../../proto/service.ts";
import type { InputRequest } from "../../../../proto/teleport/v1/job_worker.ts";
import { aborted, connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";
import { endless, type Input, quiet, reading } from "../../request_streams.ts";
import { deadline } from "../../../support/deadline.ts";

Deno.test("clientStreamingHandler() reports no error when the client cancels", async () => {
  const reported: unknown[] = [];
  const begun = Promise.withResolvers<AbortSignal>();
  const over = Promise.withResolvers<void>();
  await using server = await serveLocally({
    Input: async (requests, { signal }) => {
      try {
        for await (const _ of requests) begun.resolve(signal);
        return {};
      } finally {
        over.resolve();
      }
    },
  }, { onInternalError: (error) => reported.push(error) });
  {
    await using client = connectTo(server);
    const caller = new AbortController();
    const failed = failure(client.calls.Input(endless(), { signal: caller.signal }));
    await deadline(begun.promise);
    caller.abort();
    await failed;
    await deadline(over.promise);
  }
  // A report would come in a later turn.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(reported, []);
});

Deno.test("clientStreamingHandler() reports an unexpected error, and sends none of its details", async () => {
  const reported: unknown[] = [];
  const secret = new Error("secret");
  let thrower: Input = () => Promise.reject(secret);
  await using server = await serveLocally({ Input: (...args) => thrower(...args) }, {
    onInternalError: (error) => void reported.push(error),
  });
  await using client = connectTo(server);
  for (
    const one of [thrower, () => {
      throw secret;
    }]
  ) {
    thrower = one;
    const failed = await failure(client.calls.Input(quiet()));
    assert.deepEqual([failed.status, /secret/.test(failed.message)], ["INTERNAL", false]);
    assert.deepEqual(reported.splice(0), [secret]);
  }
});

Deno.test("an early answer ends the call, and closes a quiet or a busy source", async () => {
  const contexts: CallContext[] = [];
  await using server = await serveLocally({
    Input: async (requests, context) => {
      contexts.push(context);
      for await (const _ of requests) break;
      return { input_closed: true };
    },
    Status: () => Promise.resolve({}),
  });
  await using client = connectTo(server);
  for (const source of [quiet(), endless(), endless(new Uint8Array(262_144))]) {
    assert.equal((await client.calls.Input(source)).input_closed, true);
    await source.left;
    await client.calls.Status({});
  }
  for (const { signal } of contexts) await aborted(signal);
});

Deno.test("a handler that does not read delays its client, and no other call of the connection", async () => {
  const go = Promise.withResolvers<void>();
  await using server = await serveLocally({
    Input: async (requests) => {
      let received = 0;
      await go.promise;
      for await (const _ of requests) if (++received === 100) break;
      return {};
    },
    Register: ({ args }) => Promise.resolve({ id: args[0] }),
  });
  await using client = connectTo(server);
  const sources = Array.from({ length: 10 }, () => endless());
  const calls = sources.map((source) => client.calls.Input(source));
  for (const call of calls) call.catch(() => {}); // The test awaits it below.
  const given = () => sources.reduce((sum, source) => sum + source.given, 0);
  // When the count does not change during ten other calls, no further message is sent. A message that is larger than a
  // window shows that the waiting streams do not use the window of the connection.
  let before = -1;
  for (let still = 0; still < 10; before = given()) {
    const id = "x".repeat(200_000);
    assert.equal((await client.calls.Register({ args: [id] })).id, id);
    still = given() === before ? still + 1 : 0;
  }
  // Each stream fills the server's window, 1 MiB in Deno 2.9. One message is held there, and others are on their way.
  for (const source of sources) assert(source.given <= 20, `${source.given} messages left`);
  go.resolve();
  await Promise.all(calls);
  await Promise.all(sources.map((source) => source.left));
});

Deno.test("clientStreamingHandler() throws to the handler when the connection breaks", async () => {
  const { handler, over, read } = reading();
  await using server = await serveLocally({ Input: handler });
  const client = connectTo(server);
  const source = quiet();
  const call = failure(client.calls.Input(source));
  await read;
  await client[Symbol.asyncDispose]();
  assert.equal((await call).status, "CANCELLED");
  const { error, context } = await over;
  assert.equal(error, context.signal.reason);
  await source.left;
});

Deno.test("a deadline ends a stream on both sides", async () => {
  const { handler, over } = reading();
  await using server = await serveLocally({ Input: handler });
  await using client = connectTo(server);
  const source = quiet();
  // The connection exists before the deadline begins, so that the call reaches the handler on a busy machine too.
  await client.health();
  assert.equal((await failure(client.calls.Input(source, { deadlineMs: 1_000 }))).status, "DEADLINE_EXCEEDED");
  await source.left;
  const { error, context } = await over;
  assert.equal(error, context.signal.reason);
});

Deno.test("shutdown() ends a stream of requests with UNAVAILABLE, and does not wait for it", async () => {
  const { handler, over, read } = reading();
  await using server = await serveLocally({ Input: handler });
  await using client = connectTo(server);
  const source = quiet();
  const call = failure(client.calls.Input(source));
  await read;
  await deadline(server.shutdown({ graceMs: 0 }), "the end of the server");
  assert.equal((await call).status, "UNAVAILABLE");
  const { error, context } = await over;
  assert.equal(error, context.signal.reason);
  await source.left;
});

Deno.test("clientStreamingHandler() ends 300 streams when their clients leave", async () => {
  const waiting: InputRequest[] = [];
  const all = Promise.withResolvers<void>();
  let open = 0;
  const gone = Promise.withResolvers<void>();
  await using server = await serveLocally({
    Input: async (requests) => {
      open++;
      try {
        for await (const request of requests) if (waiting.push(request) === 300) all.resolve();
        return {};
      } finally {
        if (--open === 0) gone.resolve();
      }
    },
  });
  await using client = connectTo(server);
  const stop = new AbortController();
  const calls = Array.from({ length: 300 }, () => failure(client.calls.Input(quiet(), { signal: stop.signal })));
  await deadline(all.promise);
  stop.abort();
  for (const { status } of await Promise.all(calls)) assert.equal(status, "CANCELLED");
  await deadline(gone.promise);
});
