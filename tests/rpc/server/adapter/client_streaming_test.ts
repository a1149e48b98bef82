/** Tests of streams that clients send, of rpc/server/adapter/client_streaming.ts and rpc/client/send.ts. */
import assert from "node:assert/strict";
import { JobNotFoundError } from "../../../../mod.ts";
import type { CallContext, JobWorkerHandlers } from "../../../../proto/service.ts";
import type { InputRequest } from "../../../../proto/teleport/v1/job_worker.ts";
import { CallError } from "../../../../rpc/client/client.ts";
import { aborted, connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";

type Input = JobWorkerHandlers["Input"];

/** A source that gives messages until its return(), which it reports. */
function endless(data = new Uint8Array(64 * 1024)) {
  const left = Promise.withResolvers<void>();
  const source = {
    left: left.promise,
    given: 0,
    async *[Symbol.asyncIterator]() {
      try {
        for (;; source.given++) {
          yield { data };
          await Promise.resolve();
        }
      } finally {
        left.resolve();
      }
    },
  };
  return source;
}

/** A source that gives one message and then waits without an end. */
function quiet() {
  const left = Promise.withResolvers<void>();
  let given = 0;
  const iterator = {
    next: () =>
      given++ === 0
        ? Promise.resolve({ done: false as const, value: { id: "first" } })
        : Promise.withResolvers<IteratorResult<{ id: string }>>().promise,
    return: () => {
      left.resolve();
      return Promise.resolve({ done: true as const, value: undefined });
    },
  };
  return { left: left.promise, [Symbol.asyncIterator]: () => iterator };
}

/** A handler that reads to the end, and its result. */
function reading() {
  const over = Promise.withResolvers<{ ids: string[]; error?: unknown; context: CallContext }>();
  const read = Promise.withResolvers<void>();
  const handler: Input = async (requests, context) => {
    const ids: string[] = [];
    try {
      for await (const { id } of requests) {
        ids.push(id);
        read.resolve();
      }
    } catch (error) {
      over.resolve({ ids, error, context });
      throw error;
    }
    over.resolve({ ids, context });
    return { input_bytes: ids.length };
  };
  return { handler, over: over.promise, read: read.promise };
}

Deno.test("send() delivers a stream complete and in order, and returns the answer", async () => {
  const { handler, over } = reading();
  await using server = await serveLocally({ Input: handler });
  await using client = connectTo(server);
  const wanted = Array.from({ length: 3_000 }, (_, index) => String(index));
  const answer = await client.calls.Input((async function* () {
    for (const id of wanted) yield { id };
  })());
  assert.equal(answer.input_bytes, 3_000);
  assert.deepEqual((await over).ids, wanted);
});

Deno.test("send() delivers messages of every size unchanged", async () => {
  const received: Uint8Array[] = [];
  await using server = await serveLocally({
    Input: async (requests) => {
      for await (const { data } of requests) received.push(data);
      return {};
    },
  });
  await using client = connectTo(server);
  const sent = [0, 1, 16_383, 16_384, 65_536, 262_144, 3].map((length) =>
    new Uint8Array(length).map((_, index) => index * 31 + length)
  );
  await client.calls.Input((async function* () {
    for (const data of sent) yield { data };
  })());
  assert.deepEqual(
    received.map((data) => [...data.subarray(0, 99), data.length]),
    sent.map((data) => [
      ...data.subarray(0, 99),
      data.length,
    ]),
  );
});

Deno.test("send() returns the answer to an empty stream", async () => {
  const { handler } = reading();
  await using server = await serveLocally({ Input: handler });
  await using client = connectTo(server);
  assert.equal((await client.calls.Input((async function* () {})())).input_bytes, 0);
});

Deno.test("send() rejects with the error of a handler at any time, and closes the source", async () => {
  for (const reads of [0, 1, 5]) {
    await using server = await serveLocally({
      Input: async (requests) => {
        const iterator = requests[Symbol.asyncIterator]();
        for (let count = 0; count < reads; count++) await iterator.next();
        throw new JobNotFoundError("x");
      },
    }, { onInternalError: (error) => assert.fail(`Reported: ${error}`) });
    await using client = connectTo(server);
    const source = endless();
    const failed = await failure(client.calls.Input(source));
    assert(failed instanceof CallError);
    assert.deepEqual([failed.status, failed.code], ["NOT_FOUND", "JOB_NOT_FOUND"]);
    await source.left;
  }
});

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
    await begun.promise;
    caller.abort();
    await failed;
    await over.promise;
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

Deno.test("send() takes nothing from the source when the signal has aborted", async () => {
  await using server = await serveLocally({});
  await using client = connectTo(server);
  let asked = 0;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false as const, value: { id: `${asked++}` } }),
    }),
  };
  const { status } = await failure(client.calls.Input(source, { signal: AbortSignal.abort() }));
  assert.deepEqual([status, asked], ["CANCELLED", 0]);
});

Deno.test("send() closes the source when the signal aborts, and the handler's read throws", async () => {
  const { handler, over, read } = reading();
  await using server = await serveLocally({ Input: handler });
  await using client = connectTo(server);
  const source = quiet();
  const stop = new AbortController();
  const call = failure(client.calls.Input(source, { signal: stop.signal }));
  await read;
  stop.abort();
  assert.equal((await call).status, "CANCELLED");
  await source.left;
  const { ids, error, context } = await over;
  assert.deepEqual(ids, ["first"]);
  assert.equal(error, context.signal.reason);
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
  assert.equal((await failure(client.calls.Input(source, { deadlineMs: 100 }))).status, "DEADLINE_EXCEEDED");
  await source.left;
  const { error, context } = await over;
  assert.equal(error, context.signal.reason);
});

Deno.test("send() cancels the call when the source throws, and rejects with the same error", async () => {
  const { handler, over, read } = reading();
  await using server = await serveLocally({ Input: handler });
  await using client = connectTo(server);
  const torn = new Error("torn");
  const call = client.calls.Input((async function* () {
    yield { id: "first" };
    await read;
    throw torn;
  })());
  assert.equal(await failure(call), torn);
  const { error, context } = await over;
  assert.equal(error, context.signal.reason);
});

Deno.test("send() rejects when a message is too large for the server", async () => {
  const { handler } = reading();
  await using server = await serveLocally({ Input: handler });
  await using client = connectTo(server);
  const source = endless(new Uint8Array(5 * 1024 * 1024));
  assert.equal((await failure(client.calls.Input(source))).status, "RESOURCE_EXHAUSTED");
  await source.left;
});

Deno.test("shutdown() ends a stream of requests with UNAVAILABLE, and does not wait for it", async () => {
  const { handler, over, read } = reading();
  await using server = await serveLocally({ Input: handler });
  await using client = connectTo(server);
  const source = quiet();
  const call = failure(client.calls.Input(source));
  await read;
  const begin = performance.now();
  await server.shutdown({ graceMs: 0 });
  assert.equal((await call).status, "UNAVAILABLE");
  const { error, context } = await over;
  assert.equal(error, context.signal.reason);
  await source.left;
  assert(performance.now() - begin < 5_000);
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
  await all.promise;
  stop.abort();
  for (const { status } of await Promise.all(calls)) assert.equal(status, "CANCELLED");
  await gone.promise;
});
