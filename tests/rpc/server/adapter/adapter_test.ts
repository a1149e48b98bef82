/** Handlers as async functions and iterables: their answers, their errors, their end. */
import assert from "node:assert/strict";
import {
  CursorOutOfRangeError,
  InvalidArgumentError,
  JobNotFoundError,
  JobNotRunningError,
  JobRunningError,
  LimitReachedError,
  OutputUnavailableError,
  SupervisorClosedError,
  TeleportError,
} from "../../../../mod.ts";
import type { CallContext } from "../../../../proto/service.ts";
import { CallError } from "../../../../rpc/client/client.ts";
import { aborted, all, connectTo, failure, serveLocally } from "../../../support/rpc_server.ts";

const SECRET = "secret /root/path";

const told: [string, Error, string, string][] = [
  ["bad input", new InvalidArgumentError("Empty command: give one"), "INVALID_ARGUMENT", "INVALID_ARGUMENT"],
  ["a cursor too far", new CursorOutOfRangeError("x"), "OUT_OF_RANGE", "CURSOR_OUT_OF_RANGE"],
  ["a missing job", new JobNotFoundError("x"), "NOT_FOUND", "JOB_NOT_FOUND"],
  ["a job that does not run", new JobNotRunningError("x", "EXITED"), "FAILED_PRECONDITION", "JOB_NOT_RUNNING"],
  ["a job that runs", new JobRunningError("x", "RUNNING"), "FAILED_PRECONDITION", "JOB_RUNNING"],
  ["a limit", new LimitReachedError("Too many jobs: remove some"), "RESOURCE_EXHAUSTED", "LIMIT_REACHED"],
  ["lost output", new OutputUnavailableError("x"), "DATA_LOSS", "OUTPUT_UNAVAILABLE"],
  ["a closing server", new SupervisorClosedError(), "UNAVAILABLE", "SUPERVISOR_CLOSED"],
  ["a refusal", new TeleportError("PERMISSION_DENIED", "Not yours: ask"), "PERMISSION_DENIED", "PERMISSION_DENIED"],
];

Deno.test("a TeleportError of a handler arrives with its status, code and message", async () => {
  let error: Error;
  await using server = await serveLocally({
    Status: () => Promise.reject(error),
    // deno-lint-ignore require-yield
    StatusStream: async function* () {
      await Promise.resolve();
      throw error;
    },
  }, { onInternalError: (error) => assert.fail(`Reported: ${error}`) });
  await using client = connectTo(server);
  for (const [what, thrown, status, code] of told) {
    error = thrown;
    for (const call of [() => client.calls.Status({}), () => all(client.calls.StatusStream({}))]) {
      const failed = await failure(call());
      assert(failed instanceof CallError, what);
      assert.deepEqual([failed.status, failed.code, failed.message], [status, code, thrown.message], what);
    }
  }
});

const untold: [string, unknown][] = [
  ["any error", new Error(SECRET)],
  ["an error with a number that grpc-js would send", Object.assign(new Error(SECRET), { code: 137, details: SECRET })],
  ["an error with a status", Object.assign(new Error(SECRET), { code: 5, status: "NOT_FOUND" })],
  ["an error that looks like ours", Object.assign(new Error(SECRET), { code: "JOB_NOT_FOUND" })],
  ["no error at all", { code: 5, message: SECRET }],
  ["nothing", undefined],
];

Deno.test("another error of a handler arrives as INTERNAL without details, and the server reports it", async () => {
  let thrown: unknown;
  const reported: unknown[] = [];
  await using server = await serveLocally({
    Status: () => Promise.reject(thrown),
    Stop: () => {
      throw thrown;
    },
    // deno-lint-ignore require-yield
    StatusStream: async function* () {
      await Promise.resolve();
      throw thrown;
    },
    Start: () => {
      throw thrown;
    },
  }, { onInternalError: (error, method) => void reported.push(error, method) });
  await using client = connectTo(server);
  for (const [what, error] of untold) {
    thrown = error;
    const calls = {
      Status: () => client.calls.Status({}),
      Stop: () => client.calls.Stop({}),
      StatusStream: () => all(client.calls.StatusStream({})),
      Start: () => all(client.calls.Start({})),
    };
    for (const [name, call] of Object.entries(calls)) {
      const failed = await failure(call());
      assert.deepEqual([failed.status, failed.code], ["INTERNAL", "INTERNAL"], what);
      assert.doesNotMatch(failed.message, /secret|137/, what);
      assert.deepEqual(reported.splice(0), [error, `/teleport.v1.JobWorker/${name}`], what);
    }
  }
});

Deno.test("toServiceError() shortens a message that is too long for a header, and replaces half characters", async () => {
  await using server = await serveLocally({
    Status: ({ id }) =>
      Promise.reject(new InvalidArgumentError(id === "long" ? "é".repeat(1 << 20) : "half \ud800 of")),
  });
  await using client = connectTo(server);
  assert.equal((await failure(client.calls.Status({ id: "long" }))).message, `${"é".repeat(799)}…`);
  assert.equal((await failure(client.calls.Status({ id: "half" }))).message, "half \ufffd of");
});

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

Deno.test("an answer larger than clients accept fails, and its iterable is closed", async () => {
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

Deno.test("an answer that cannot be encoded fails with INTERNAL", async () => {
  const reported: unknown[] = [];
  await using server = await serveLocally({
    Status: () => Promise.resolve({ registered_at: 5 } as unknown as Record<string, never>),
  }, { onInternalError: (error) => void reported.push(error) });
  await using client = connectTo(server);
  assert.equal((await failure(client.calls.Status({}))).status, "INTERNAL");
  assert.equal(reported.length, 1);
});

/** Handlers of streams that report when they end. */
function watched() {
  const left = Promise.withResolvers<CallContext>();
  let open = 0;
  let given = 0;
  return {
    left: left.promise,
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
  const { status, message } = await failure(all(client.calls.Start({}, { deadlineMs: 100 })));
  assert.equal(status, "DEADLINE_EXCEEDED");
  assert.equal(message, "No answer within 100 ms");
  assert.equal((await watch.left).signal.aborted, true);
});

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
  await begun.promise;
  assert.equal(contexts[1]!.signal.aborted, false);
  abort.abort();
  assert.equal((await call).status, "CANCELLED");
  await aborted(contexts[1]!.signal);
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
  assert.match(String(await reported.promise), /Cannot be left/);
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
  await gone.promise;
});
