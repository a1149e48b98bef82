/** Tests of rpc/client/send.ts: streams of requests as the client sends them. */
import assert from "node:assert/strict";
import { JobNotFoundError } from "../../../mod.ts";
import { CallError } from "../../../rpc/client/client.ts";
import { connectTo, failure, serveLocally } from "../../support/rpc_server.ts";
import { endless, quiet, reading } from "../request_streams.ts";

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
      // A message is freed when the next one is asked for.
      for await (const { data } of requests) received.push(new Uint8Array(data));
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
