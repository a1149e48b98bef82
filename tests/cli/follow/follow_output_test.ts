/** followOutput(): it detects output that is not complete. */
import assert from "node:assert/strict";
import { followOutput } from "../../../cli/follow/follow_output.ts";
import { OutputMismatchError } from "../../../cli/follow/output_check.ts";
import type { JobOutput } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, outputOf, running } from "../../support/cli_messages.ts";
import { FakeCallError, untilAborted } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";

const chunks: ["stdout" | "stderr", string][] = [["stdout", "a\0b"], ["stderr", "\xff"], ["stdout", "c"]];

async function follow(messages: readonly JobOutput[]): Promise<JobOutput[]> {
  const taken: JobOutput[] = [];
  const calls = { GetOutput: () => stream(...messages) };
  await followOutput(calls, { request: { id: "job-1", follow: true } }, (chunk) => {
    taken.push(chunk);
    return Promise.resolve();
  });
  return taken;
}

Deno.test("followOutput() passes on every chunk and the summary in order", async () => {
  const messages = await outputOf(chunks, exited(0));
  assert.deepEqual(await follow(messages), messages);
});

Deno.test("followOutput() accepts an empty output", async () => {
  assert.equal((await follow(await outputOf([], exited(0)))).length, 1);
});

Deno.test("followOutput() sends the request", async () => {
  const messages = await outputOf([], exited(0));
  const asked: unknown[] = [];
  const calls = {
    GetOutput: (request: unknown, options: unknown) => {
      asked.push(request, options);
      return stream(...messages);
    },
  };
  const { signal } = new AbortController();
  await followOutput(calls, { request: { id: "job-1", follow: false }, signal }, () => Promise.resolve());
  assert.deepEqual(asked, [{ id: "job-1", follow: false }, { signal }]);
});

Deno.test("followOutput() waits until each chunk is written before it reads the next", async () => {
  const messages = await outputOf(chunks, exited(0));
  let sent = 0;
  async function* counted() {
    for (const message of messages) {
      sent += 1;
      yield await Promise.resolve(message);
    }
  }
  const gate = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  const whole = followOutput({ GetOutput: counted }, { request: { id: "job-1", follow: true } }, () => {
    first.resolve();
    return gate.promise;
  });
  await first.promise;
  // A turn of the event loop, in which a reader that does not wait would read the next chunk.
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent, 1);
  gate.resolve();
  await whole;
  assert.equal(sent, messages.length);
});

const damages: [string, (messages: JobOutput[]) => JobOutput[], RegExp][] = [
  [
    "a chunk is missing",
    ([, ...rest]) => rest,
    /expected the chunk at byte 0, got the one at byte 3: read it again with/,
  ],
  ["the last chunk is missing", ([a, b, , end]) => [a!, b!, end!], /wrote 4 bytes to stdout, 3 arrived/],
  ["a chunk comes twice", ([a, ...rest]) => [a!, a!, ...rest], /expected the chunk at byte 3, got the one at byte 0/],
  ["the summary is missing", (messages) => messages.slice(0, -1), /ended before its summary/],
  ["there is nothing at all", () => [], /ended before its summary/],
  [
    "a byte is altered",
    ([a, ...rest]) => [{ ...a!, data: new Uint8Array([97, 1, 98]) }, ...rest],
    /the digest of stdout differs/,
  ],
  [
    "a byte of stderr is altered",
    ([a, b, ...rest]) => [a!, { ...b!, data: new TextEncoder().encode("\xfe") }, ...rest],
    /the digest of stderr differs/,
  ],
  [
    "a chunk has no stream",
    ([a, ...rest]) => [{ ...a!, stream: "STREAM_UNSPECIFIED" }, ...rest],
    /output without a stream/,
  ],
];
for (const [what, damage, sentence] of damages) {
  Deno.test(`followOutput() fails when ${what}`, async () => {
    const messages = damage(await outputOf(chunks, exited(0)));
    await assert.rejects(follow(messages), (error) => {
      assert.ok(error instanceof OutputMismatchError);
      assert.match(error.message, sentence);
      return true;
    });
  });
}

Deno.test("followOutput() accepts a gap, and still checks offsets", async () => {
  const [a, b, c, end] = await outputOf(chunks, exited(0));
  const gap = { ...a!, data: new Uint8Array(), offset: 3, dropped_bytes: 3 };
  const messages = [gap, b!, c!, end!];
  assert.deepEqual(await follow(messages), messages);
  await assert.rejects(follow([{ ...gap, offset: 2, dropped_bytes: 2 }, b!, c!, end!]), /expected the chunk at byte 2/);
  await assert.rejects(follow([gap, b!, end!]), /wrote 4 bytes to stdout, 3 arrived/);
});

Deno.test("followOutput() still verifies the other stream when one has a gap", async () => {
  const [a, b, c, end] = await outputOf(chunks, exited(0));
  const gap = { ...a!, data: new Uint8Array(), offset: 3, dropped_bytes: 3 };
  const altered = { ...b!, data: new TextEncoder().encode("\xfe") };
  await assert.rejects(follow([gap, altered, c!, end!]), /the digest of stderr differs/);
});

Deno.test("followOutput() accepts output whose digest the server does not know", async () => {
  const messages = await outputOf(chunks, exited(0));
  const end = messages.pop()!;
  const unknown = { ...end, end: { ...end.end!, stdout_sha256: new Uint8Array(), stderr_sha256: new Uint8Array() } };
  assert.equal((await follow([...messages, unknown])).length, 4);
});

Deno.test("followOutput() accepts that a running job wrote more after the call, but not less", async () => {
  const [a, b, c, end] = await outputOf(chunks, running());
  const read = (messages: readonly JobOutput[], follow: boolean) =>
    followOutput(
      { GetOutput: () => stream(...messages) },
      { request: { id: "job-1", follow } },
      () => Promise.resolve(),
    );
  await read([a!, b!, end!], false);
  await read([a!, b!, c!, end!], false);
  const altered = { ...b!, data: new TextEncoder().encode("\xfe") };
  await assert.rejects(read([a!, altered, end!], false), /the digest of stderr differs/);
  await assert.rejects(
    read([a!, b!, { ...c!, data: new Uint8Array(9) }, end!], false),
    /4 bytes to stdout, 12 arrived/,
  );
  await assert.rejects(read([a!, b!, end!], true), /4 bytes to stdout, 3 arrived/);
  const [d, e, , ended] = await outputOf(chunks, exited(0));
  await assert.rejects(read([d!, e!, ended!], false), /4 bytes to stdout, 3 arrived/);
});

Deno.test("followOutput() ignores heartbeats", async () => {
  const [a, ...rest] = await outputOf(chunks, exited(0));
  const beat: JobOutput = { ...a!, data: new Uint8Array(), stream: "STREAM_UNSPECIFIED", offset: 0, cursor: "" };
  assert.deepEqual(await follow([beat, a!, beat, ...rest]), [a!, ...rest]);
});

Deno.test("followOutput() ends when its signal aborts", async () => {
  async function* endless(_: unknown, options?: { signal?: AbortSignal }): AsyncGenerator<JobOutput> {
    await untilAborted(options?.signal);
    yield* [];
  }
  const take = () => Promise.resolve();
  await assert.rejects(
    followOutput({ GetOutput: endless }, { request: { id: "job-1", follow: true }, signal: AbortSignal.abort() }, take),
    FakeCallError,
  );
  const later = new AbortController();
  const whole = followOutput(
    { GetOutput: endless },
    { request: { id: "job-1", follow: true }, signal: later.signal },
    take,
  );
  later.abort();
  await assert.rejects(whole, FakeCallError);
});

Deno.test("followOutput() closes the stream when a chunk cannot be written", async () => {
  const messages = await outputOf(chunks, exited(0));
  let left = false;
  async function* watched() {
    try {
      yield* stream(...messages);
    } finally {
      left = true;
    }
  }
  const full = new Error("Full");
  await assert.rejects(
    followOutput({ GetOutput: watched }, { request: { id: "job-1", follow: true } }, () => Promise.reject(full)),
    full,
  );
  assert.ok(left);
});
