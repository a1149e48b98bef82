/** endWhenSilent(): it ends only a stream on which nothing arrives. */
import assert from "node:assert/strict";
import { endWhenSilent, SilenceError } from "../../../cli/follow/silence.ts";
import { FakeCallError, untilAborted } from "../../support/fake_io.ts";

Deno.test("endWhenSilent() yields items, and ends a stream on which nothing arrives", async () => {
  const taken: number[] = [];
  async function* quiet(signal: AbortSignal): AsyncGenerator<number> {
    yield 1;
    yield 2;
    await untilAborted(signal);
  }
  await assert.rejects(async () => {
    for await (const item of endWhenSilent(quiet, 30)) taken.push(item);
  }, (error) => error instanceof SilenceError && /The server sent nothing for 30ms/.test(error.message));
  assert.deepEqual(taken, [1, 2]);
});

Deno.test("endWhenSilent() does not count the time of a slow reader", async () => {
  async function* two(): AsyncGenerator<number> {
    yield 1;
    yield await Promise.resolve(2);
  }
  const taken: number[] = [];
  for await (const item of endWhenSilent(two, 20)) {
    taken.push(item);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  assert.deepEqual(taken, [1, 2]);
});

Deno.test("endWhenSilent() rejects with the error of the call when the caller's signal aborts", async () => {
  async function* quiet(signal: AbortSignal): AsyncGenerator<number> {
    await untilAborted(signal);
    yield* [];
  }
  const read = async (signal: AbortSignal) => {
    for await (const _ of endWhenSilent(quiet, 60_000, signal));
  };
  await assert.rejects(read(AbortSignal.abort()), FakeCallError);
  const later = new AbortController();
  const reading = read(later.signal);
  later.abort();
  await assert.rejects(reading, FakeCallError);
});

Deno.test("endWhenSilent() closes the stream and its timer when its reader leaves", async () => {
  let isLeft = false;
  async function* endless(): AsyncGenerator<number> {
    try {
      while (true) yield await Promise.resolve(1);
    } finally {
      isLeft = true;
    }
  }
  for await (const _ of endWhenSilent(endless, 60_000)) break;
  assert.ok(isLeft);
});
