/**
 * Tests of shutdown() of rpc/server/server.ts during calls: open calls are answered completely, and later calls fail.
 * Slow: it waits for time limits.
 */
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import type { CallContext } from "../../../proto/service.ts";
import { aborted, all, connectTo, failure, serveLocally } from "../../support/rpc_server.ts";
import { deadline, eventually } from "../../support/deadline.ts";

/** A handler of a stream that sends one message and then waits until its client has left. */
function quiet(whenLeft: (signal: AbortSignal) => void = () => {}) {
  return async function* (_: unknown, { signal }: CallContext) {
    yield { pid: 1 };
    await aborted(signal);
    whenLeft(signal);
  };
}

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
    await deadline(sent.promise);
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
  await deadline(begun.promise);
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
  await deadline(server.shutdown({ graceMs: 3_600_000 }), "the end of the idle connections");
});

Deno.test("shutdown() waits for open calls and refuses new ones", async () => {
  const { promise: answer, resolve } = Promise.withResolvers<{ id: string }>();
  const begun = Promise.withResolvers<void>();
  const server = await serveLocally({
    Status: () => {
      begun.resolve();
      return answer;
    },
  });
  await using client = connectTo(server);
  const call = client.calls.Status({});
  await deadline(begun.promise);
  let stopped = false;
  const shutdown = server.shutdown({ graceMs: 60_000 }).then(() => stopped = true);
  const late = connectTo(server);
  assert.equal((await failure(late.calls.Status({}))).status, "UNAVAILABLE");
  await late[Symbol.asyncDispose]();
  assert.equal(stopped, false);
  resolve({ id: "after all" });
  assert.equal((await call).id, "after all");
  await shutdown;
});

Deno.test("shutdown() ends calls with UNAVAILABLE after the grace period", async () => {
  const left = Promise.withResolvers<AbortSignal>();
  const begun = Promise.withResolvers<void>();
  const server = await serveLocally({
    Start: quiet(left.resolve),
    Status: async (_, { signal }) => {
      begun.resolve();
      await aborted(signal);
      return {};
    },
  });
  await using client = connectTo(server);
  const stream = client.calls.Start({})[Symbol.asyncIterator]();
  await stream.next();
  const ends = [failure(stream.next()), failure(client.calls.Status({}))];
  await deadline(begun.promise);
  await server.shutdown({ graceMs: 20 });
  assert.equal((await deadline(left.promise)).aborted, true);
  for (const { status, code, message } of await Promise.all(ends)) {
    assert.deepEqual([status, code], ["UNAVAILABLE", "UNAVAILABLE"]);
    assert.match(message, /shutting down: try again/);
  }
});

Deno.test("shutdown() closes the connections of calls that do not end", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = await serveLocally({
    Start: async function* () {
      yield { pid: 1 };
      await promise;
    },
  });
  await using client = connectTo(server);
  const stream = client.calls.Start({})[Symbol.asyncIterator]();
  await stream.next();
  const end = failure(stream.next());
  await server.shutdown({ graceMs: 0 });
  const { status, message } = await end;
  assert.equal(status, "UNAVAILABLE");
  assert.match(message, /connection was lost: try again/);
  resolve();
});

Deno.test("shutdown() does not wait for a stalled handshake", async () => {
  const server = await serveLocally({});
  const socket = connectTcp(server.port, "127.0.0.1");
  socket.on("error", () => {});
  await eventually(() => server.connections > 0, "a connection");
  await Promise.all([
    new Promise<void>((resolve) => socket.resume().once("close", () => resolve())),
    server.shutdown({ graceMs: 60_000 }),
  ]);
});

Deno.test("shutdown() returns the same promise when it is called twice", async () => {
  const server = await serveLocally({});
  assert.equal(server.shutdown({ graceMs: 0 }), server.shutdown({ graceMs: 1_000 }));
  await server.shutdown({ graceMs: 0 });
});
