/** Tests of rpc/server/adapter/server_streaming.ts. */
import assert from "node:assert/strict";
import { JobNotFoundError } from "../../../../mod.ts";
import type { CallContext } from "../../../../proto/service.ts";
import { aborted, all, connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";
import { deadline } from "../../../support/deadline.ts";

Deno.test("serverStreamingHandler() can fail after it has sent a message", async () => {
  const { promise: received, resolve } = Promise.withResolvers<void>();
  await using server = await serveLocally({
    StatusStream: async function* () {
      yield { pid: 1 };
      await received;
      throw new JobNotFoundError("x");
    },
  });
  await using client = connectTo(server);
  const stream = client.calls.StatusStream({})[Symbol.asyncIterator]();
  assert.equal((await stream.next()).value?.pid, 1);
  resolve();
  assert.equal((await failure(stream.next())).status, "NOT_FOUND");
});

/** Handlers of streams that report when they end. */
function watched() {
  const left = Promise.withResolvers<CallContext>();
  let open = 0;
  let given = 0;
  return {
    get left() {
      return deadline(left.promise, "the end of a stream");
    },
    open: () => open,
    given: () => given,
    /** Sends one message, then waits until the call is over. */
    quiet: async function* (_: unknown, context: CallContext) {
      open++;
      try {
        yield { pid: 1 };
        await aborted(context.signal);
      } finally {
        open--;
        left.resolve(context);
      }
    },
    /** Sends messages as fast as they are taken. */
    endless: async function* (_: unknown, context: CallContext) {
      open++;
      try {
        for (; !context.signal.aborted; given++) yield { data: new Uint8Array(256 * 1024), offset: given };
      } finally {
        open--;
        left.resolve(context);
      }
    },
  };
}

Deno.test("serverStreamingHandler() ends a quiet stream when the client leaves the loop", async () => {
  const watch = watched();
  await using server = await serveLocally({ Start: watch.quiet });
  await using client = connectTo(server);
  for await (const { pid } of client.calls.Start({})) {
    assert.equal(pid, 1);
    break;
  }
  const { signal } = await watch.left;
  assert.equal(signal.aborted, true);
  assert.equal(watch.open(), 0);
});

Deno.test("serverStreamingHandler() ends a quiet stream when the client's connection breaks", async () => {
  const watch = watched();
  await using server = await serveLocally({ Start: watch.quiet });
  const client = connectTo(server);
  await client.calls.Start({})[Symbol.asyncIterator]().next();
  await client[Symbol.asyncDispose]();
  assert.equal((await watch.left).signal.aborted, true);
});

Deno.test("serverStreamingHandler() ends a stream when its deadline has passed", async () => {
  const watch = watched();
  await using server = await serveLocally({ Start: watch.quiet });
  await using client = connectTo(server);
  // The connection exists before the deadline begins, so that the call reaches the handler on a busy machine too.
  await client.health();
  const { status, message } = await failure(all(client.calls.Start({}, { deadlineMs: 1_000 })));
  assert.equal(status, "DEADLINE_EXCEEDED");
  assert.equal(message, "No answer within 1000 ms");
  assert.equal((await watch.left).signal.aborted, true);
});

Deno.test("serverStreamingHandler() fills the window and takes one more message when the client reads nothing", async () => {
  const watch = watched();
  await using server = await serveLocally({ GetOutput: watch.endless, Status: () => Promise.resolve({}) });
  await using client = connectTo(server);
  const stream = client.calls.GetOutput({})[Symbol.asyncIterator]();
  await stream.next();
  // When the count does not change during ten other calls, no further message is taken.
  let before = -1;
  for (let still = 0; still < 10; before = watch.given()) {
    await client.calls.Status({});
    still = watch.given() === before ? still + 1 : 0;
  }
  // The client holds 4 MiB in its window and 16 messages in its stream. One was taken, and one is on its way.
  assert(watch.given() <= 16 + 16 + 2, `${watch.given()} messages were taken`);
  await stream.return?.();
  await watch.left;
  assert.equal(watch.open(), 0);
});

Deno.test("serverStreamingHandler() reports an error of return()", async () => {
  const reported = Promise.withResolvers<unknown>();
  await using server = await serveLocally({
    Start: () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false as const, value: { pid: 1 } }),
        return: () => Promise.reject(new Error("Cannot be left")),
      }),
    }),
  }, { onInternalError: reported.resolve });
  await using client = connectTo(server);
  for await (const _ of client.calls.Start({})) break;
  assert.match(String(await deadline(reported.promise)), /Cannot be left/);
});

Deno.test("serverStreamingHandler() ends 500 streams when their clients leave", async () => {
  let open = 0;
  const gone = Promise.withResolvers<void>();
  await using server = await serveLocally({
    Start: async function* (_, { signal }) {
      open++;
      try {
        yield { pid: 1 };
        await aborted(signal);
      } finally {
        if (--open === 0) gone.resolve();
      }
    },
  });
  await using client = connectTo(server);
  const streams = Array.from({ length: 500 }, () => client.calls.Start({})[Symbol.asyncIterator]());
  await Promise.all(streams.map((stream) => stream.next()));
  assert.equal(open, 500);
  await Promise.all(streams.map((stream) => stream.return?.()));
  await deadline(gone.promise);
});
