/** Tests of the writers of an input: one at a time, who continue where they were cut off. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  InputBusyError,
  InputOffsetError,
  InputTakenOverError,
  InvalidArgumentError,
  Supervisor,
} from "../../../mod.ts";
import { MAX_INPUT_CHUNK_BYTES } from "../../../worker/process/stdin.ts";
import { someBytes } from "../../support/random.ts";
import { encoder, ended, MORE_THAN_A_PIPE, outputOf, Source, started, texts } from "./input.ts";

Deno.test("writeInput() leaves the input open for the next writer when a call has no end", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  assert.deepEqual(await supervisor.writeInput(id, texts("first ")), { bytes: 6, accepted: 6, closed: false });
  assert.deepEqual(await supervisor.writeInput(id, texts()), { bytes: 6, accepted: 0, closed: false });
  assert.deepEqual(await supervisor.writeInput(id, texts("second", "end")), { bytes: 12, accepted: 6, closed: true });
  assert.equal(await outputOf(supervisor, id), "first second");
});

Deno.test("writeInput() refuses a second writer", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  const source = new Source();
  const first = supervisor.writeInput(id, source, { writer: "ada" });
  await source.give("one ");
  await assert.rejects(supervisor.writeInput(id, texts("x")), InputBusyError);
  await assert.rejects(supervisor.writeInput(id, texts("x"), { writer: "bob" }), InputBusyError);
  await source.give("two");
  await source.give({ end: true });
  assert.deepEqual(await first, { bytes: 7, accepted: 7, closed: true });
  assert.equal(await outputOf(supervisor, id), "one two");
});

Deno.test("writeInput() replaces the call of the same writer, and skips repeated bytes", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  const source = new Source();
  const first = supervisor.writeInput(id, source, { writer: "ada", offset: 0 });
  await source.give("one ");
  await source.give("two ");
  await source.asked();
  const again = supervisor.writeInput(id, texts("ne t", "wo ", "three", "end"), { writer: "ada", offset: 1 });
  await assert.rejects(first, InputTakenOverError);
  await source.left.promise;
  await source.give("of nobody").catch(() => {});
  assert.deepEqual(await again, { bytes: 13, accepted: 5, closed: true });
  assert.equal(await outputOf(supervisor, id), "one two three");
});

Deno.test("writeInput() keeps a chunk whole when its writer is cut off", async () => {
  await using supervisor = new Supervisor();
  const id = await started(
    supervisor,
    "exec 2>/dev/null; trap go=1 USR1; echo up; while [ -z $go ]; do sleep 0.01; done; exec sha256sum",
  );
  await using output = supervisor.watchOutput(id);
  await output.next();
  const data = someBytes(MAX_INPUT_CHUNK_BYTES);
  const source = new Source();
  const stop = new AbortController();
  const cut = supervisor.writeInput(id, source, { writer: "ada", offset: 0, signal: stop.signal });
  await source.give({ data });
  // Nobody knows how much of the chunk is in the pipe. The whole chunk counts as accepted.
  while ((await supervisor.status(id)).input?.bytes === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new Error("cut"));
  await assert.rejects(cut, /cut/);
  const rest = supervisor.writeInput(
    id,
    (async function* () {
      yield { data };
      yield { data: encoder.encode("tail"), end: true };
    })(),
    { writer: "ada", offset: 0 },
  );
  await supervisor.signal(id, "USR1");
  assert.deepEqual(await rest, { bytes: data.length + 4, accepted: 4, closed: true });
  const expected = createHash("sha256").update(data).update("tail").digest("hex");
  assert.equal(await outputOf(supervisor, id), `up\n${expected}  -\n`);
});

Deno.test("writeInput() refuses an offset at which the writer cannot continue", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  await supervisor.writeInput(id, texts("abc"), { writer: "ada" });
  await assert.rejects(supervisor.writeInput(id, texts("x"), { writer: "ada", offset: 4 }), InputOffsetError);
  await assert.rejects(supervisor.writeInput(id, texts("x"), { writer: "bob", offset: 2 }), InputOffsetError);
  await assert.rejects(supervisor.writeInput(id, texts("x"), { offset: 2 }), InputOffsetError);
  // Another writer wrote since, so ada may not repeat earlier bytes.
  await supervisor.writeInput(id, texts("d"), { writer: "bob", offset: 3 });
  await assert.rejects(supervisor.writeInput(id, texts("d"), { writer: "ada", offset: 3 }), InputOffsetError);
  await supervisor.writeInput(id, texts("e", "end"), { writer: "ada", offset: 4 });
  assert.equal(await outputOf(supervisor, id), "abcde");
});

Deno.test("writeInput() refuses a chunk that is too large and an invalid name", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  async function* large() {
    yield { data: new Uint8Array(MAX_INPUT_CHUNK_BYTES + 1) };
  }
  await assert.rejects(supervisor.writeInput(id, large()), InvalidArgumentError);
  for (const writer of ["", "x".repeat(129)]) {
    await assert.rejects(supervisor.writeInput(id, texts("x"), { writer }), InvalidArgumentError);
  }
  await supervisor.writeInput(id, texts("ok", "end"));
  assert.equal(await outputOf(supervisor, id), "ok");
});

Deno.test("writeInput() throws when the source of chunks throws", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  async function* failing() {
    yield { data: encoder.encode("a") };
    throw new Error("torn");
  }
  await assert.rejects(supervisor.writeInput(id, failing()), /torn/);
  await supervisor.writeInput(id, texts("b", "end"));
  assert.equal(await outputOf(supervisor, id), "ab");
});

Deno.test("writeInput() requests nothing when its signal has aborted", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  const source = new Source();
  const signal = AbortSignal.abort(new Error("too late"));
  await assert.rejects(supervisor.writeInput(id, source, { signal }), /too late/);
  await supervisor.writeInput(id, texts("b", "end"));
  assert.equal(await outputOf(supervisor, id), "b");
});

Deno.test("writeInput() ends the iteration when its signal aborts", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  const source = new Source();
  const stop = new AbortController();
  const writing = supervisor.writeInput(id, source, { signal: stop.signal });
  await source.give("a");
  await source.asked();
  stop.abort(new Error("enough"));
  await assert.rejects(writing, /enough/);
  await source.left.promise;
  await supervisor.writeInput(id, texts("b", "end"));
  assert.equal(await outputOf(supervisor, id), "ab");
});

Deno.test("writeInput() waits for a job that does not read, and returns at its end", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "exec sleep 1000");
  let asked = 0;
  const writing = supervisor.writeInput(
    id,
    (async function* () {
      while (true) {
        asked += 1;
        yield { data: MORE_THAN_A_PIPE };
      }
    })(),
  );
  while ((await supervisor.status(id)).input?.bytes === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked, 1, "What comes after the chunk that fills the pipe is not asked for");
  await supervisor.stop(id);
  // The chunk that the end of the job cut off does not count.
  assert.deepEqual(await writing, { bytes: 0, accepted: 0, closed: true });
  assert.deepEqual((await supervisor.status(id)).input, { bytes: 0, closed: true });
});

Deno.test("writeInput() returns when the job ends while the writer waits", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "read -r line; exit 3");
  const source = new Source();
  const writing = supervisor.writeInput(id, source);
  await source.give("line\n");
  assert.deepEqual(await writing, { bytes: 5, accepted: 5, closed: true });
  await source.left.promise;
  assert.equal((await ended(supervisor, id)).exitCode, 3);
});
