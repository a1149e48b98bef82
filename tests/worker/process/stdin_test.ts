/** Tests of the input of jobs: each byte arrives once and in order, from one writer at a time. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  InputBusyError,
  InputClosedError,
  InputOffsetError,
  type InputPiece,
  InputTakenOverError,
  InvalidArgumentError,
  JobNotFoundError,
  JobNotRunningError,
  type JobStatus,
  NoInputError,
  Supervisor,
} from "../../../mod.ts";
import { MAX_INPUT_PIECE_BYTES } from "../../../worker/process/stdin.ts";
import { someBytes } from "../../support/random.ts";

const encoder = new TextEncoder();

/** More bytes than a pipe holds: 64 KiB by default; pipe(7). */
const MORE_THAN_A_PIPE = new Uint8Array(MAX_INPUT_PIECE_BYTES);

/** Yields pieces of text; `end` yields the end of the input. */
async function* texts(...pieces: string[]): AsyncGenerator<InputPiece> {
  for (const piece of pieces) yield piece === "end" ? { end: true } : { data: encoder.encode(piece) };
}

/** Yields pieces that the test gives, and reports when a piece is requested and when the iteration ends. */
class Source implements AsyncIterable<InputPiece>, AsyncIterator<InputPiece> {
  readonly left = Promise.withResolvers<void>();
  #asked = Promise.withResolvers<PromiseWithResolvers<IteratorResult<InputPiece>>>();

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<InputPiece>> {
    const answer = Promise.withResolvers<IteratorResult<InputPiece>>();
    this.#asked.resolve(answer);
    return answer.promise;
  }

  return(): Promise<IteratorResult<InputPiece>> {
    this.left.resolve();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Resolves when the next piece is requested: the pipe has the previous one. */
  async asked(): Promise<void> {
    await this.#asked.promise;
  }

  async give(piece: InputPiece | string): Promise<void> {
    const { resolve } = await this.#asked.promise;
    this.#asked = Promise.withResolvers();
    resolve({ done: false, value: typeof piece === "string" ? { data: encoder.encode(piece) } : piece });
  }
}

async function started(supervisor: Supervisor, script: string): Promise<string> {
  const id = await supervisor.add("sh", ["-c", script], { input: true });
  await supervisor.start(id);
  return id;
}

async function outputOf(supervisor: Supervisor, id: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const piece of supervisor.watchOutput(id)) chunks.push(piece.data);
  return await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text();
}

async function ended(supervisor: Supervisor, id: string): Promise<JobStatus> {
  let last: JobStatus | undefined;
  for await (const status of supervisor.watchStatus(id)) last = status;
  assert.ok(last);
  return last;
}

Deno.test("writeInput() throws for a job without an input, which reads nothing", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("sh", ["-c", "cat; echo read; exec sleep 1000"]);
  await supervisor.start(id);
  await using output = supervisor.watchOutput(id);
  await output.next(); // It has read an empty input to its end.
  await assert.rejects(supervisor.writeInput(id, texts("a")), NoInputError);
  assert.equal((await supervisor.status(id)).input, undefined);
});

Deno.test("writeInput() passes each byte to the job, and the end", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat; echo end; exit 7");
  assert.deepEqual((await supervisor.status(id)).input, { bytes: 0, closed: false });
  const taken = await supervisor.writeInput(id, texts("one\0", "", "two\n", "end", "never asked for"));
  assert.deepEqual(taken, { bytes: 8, taken: 8, closed: true });
  assert.equal(await outputOf(supervisor, id), "one\0two\nend\n");
  const status = await ended(supervisor, id);
  assert.equal(status.exitCode, 7);
  assert.deepEqual(status.input, { bytes: 8, closed: true });
});

Deno.test("writeInput() passes bytes through the launcher unchanged", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("sh", ["-c", "cat; umask"], { input: true, umask: 0o77 });
  await supervisor.start(id);
  // The launcher may still run when these bytes are sent.
  await supervisor.writeInput(id, texts("first\n", "second\n", "end"));
  assert.equal(await outputOf(supervisor, id), "first\nsecond\n0077\n");
});

Deno.test("writeInput() fills only the pipe of a paused job, and continues after the pause", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "echo up; exec wc -c");
  await using output = supervisor.watchOutput(id);
  await output.next();
  await supervisor.pause(id);
  const source = new Source();
  const writing = supervisor.writeInput(id, source);
  await source.give({ data: MORE_THAN_A_PIPE });
  while ((await supervisor.status(id)).input?.bytes === 0) await new Promise((resolve) => setImmediate(resolve));
  await supervisor.resume(id);
  await source.give({ end: true });
  assert.equal((await writing).bytes, MORE_THAN_A_PIPE.length);
  assert.equal(await outputOf(supervisor, id), `up\n${MORE_THAN_A_PIPE.length}\n`);
});

Deno.test("writeInput() accepts the end with the last data", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  async function* pieces() {
    yield { data: encoder.encode("all"), end: true };
  }
  assert.deepEqual(await supervisor.writeInput(id, pieces()), { bytes: 3, taken: 3, closed: true });
  assert.equal(await outputOf(supervisor, id), "all");
});

Deno.test("writeInput() leaves the input open for the next writer when a call has no end", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  assert.deepEqual(await supervisor.writeInput(id, texts("first ")), { bytes: 6, taken: 6, closed: false });
  assert.deepEqual(await supervisor.writeInput(id, texts()), { bytes: 6, taken: 0, closed: false });
  assert.deepEqual(await supervisor.writeInput(id, texts("second", "end")), { bytes: 12, taken: 6, closed: true });
  assert.equal(await outputOf(supervisor, id), "first second");
});

Deno.test("writeInput() throws after the end", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat; exec sleep 1000");
  await supervisor.writeInput(id, texts("abc", "end"));
  await assert.rejects(
    supervisor.writeInput(id, texts("d")),
    (error) => error instanceof InputClosedError && / 3 bytes/.test(error.message),
  );
});

Deno.test("writeInput() throws for a job that does not run or does not exist", async () => {
  await using supervisor = new Supervisor();
  const id = await supervisor.add("true", [], { input: true });
  await assert.rejects(supervisor.writeInput(id, texts("a")), JobNotRunningError);
  await supervisor.start(id);
  await ended(supervisor, id);
  await assert.rejects(supervisor.writeInput(id, texts("a")), JobNotRunningError);
  const failed = await supervisor.add("/no/such/program", [], { input: true });
  assert.deepEqual((await supervisor.start(failed)).input, { bytes: 0, closed: true });
  await assert.rejects(supervisor.writeInput(failed, texts("a")), JobNotRunningError);
  await assert.rejects(supervisor.writeInput("01890000-0000-7000-8000-000000000000", texts("a")), JobNotFoundError);
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
  assert.deepEqual(await first, { bytes: 7, taken: 7, closed: true });
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
  assert.deepEqual(await again, { bytes: 13, taken: 5, closed: true });
  assert.equal(await outputOf(supervisor, id), "one two three");
});

Deno.test("writeInput() keeps a piece whole when its writer is cut off", async () => {
  await using supervisor = new Supervisor();
  const id = await started(
    supervisor,
    "exec 2>/dev/null; trap go=1 USR1; echo up; while [ -z $go ]; do sleep 0.01; done; exec sha256sum",
  );
  await using output = supervisor.watchOutput(id);
  await output.next();
  const data = someBytes(MAX_INPUT_PIECE_BYTES);
  const source = new Source();
  const stop = new AbortController();
  const cut = supervisor.writeInput(id, source, { writer: "ada", offset: 0, signal: stop.signal });
  await source.give({ data });
  // Nobody knows how much of the piece is in the pipe. The whole piece counts as accepted.
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
  assert.deepEqual(await rest, { bytes: data.length + 4, taken: 4, closed: true });
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

Deno.test("writeInput() refuses a piece that is too large and an invalid name", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "cat");
  async function* large() {
    yield { data: new Uint8Array(MAX_INPUT_PIECE_BYTES + 1) };
  }
  await assert.rejects(supervisor.writeInput(id, large()), InvalidArgumentError);
  for (const writer of ["", "x".repeat(129)]) {
    await assert.rejects(supervisor.writeInput(id, texts("x"), { writer }), InvalidArgumentError);
  }
  await supervisor.writeInput(id, texts("ok", "end"));
  assert.equal(await outputOf(supervisor, id), "ok");
});

Deno.test("writeInput() throws when the source of pieces throws", async () => {
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
  assert.equal(asked, 1, "What comes after the piece that fills the pipe is not asked for");
  await supervisor.stop(id);
  // The piece that the end of the job cut off does not count.
  assert.deepEqual(await writing, { bytes: 0, taken: 0, closed: true });
  assert.deepEqual((await supervisor.status(id)).input, { bytes: 0, closed: true });
});

Deno.test("writeInput() returns when the job ends while the writer waits", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "read -r line; exit 3");
  const source = new Source();
  const writing = supervisor.writeInput(id, source);
  await source.give("line\n");
  assert.deepEqual(await writing, { bytes: 5, taken: 5, closed: true });
  await source.left.promise;
  assert.equal((await ended(supervisor, id)).exitCode, 3);
});

Deno.test("writeInput() returns when the job closes its input", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "exec 0<&-; echo closed; exec sleep 1000");
  await using output = supervisor.watchOutput(id);
  await output.next();
  assert.deepEqual(await supervisor.writeInput(id, texts("a")), { bytes: 0, taken: 0, closed: true });
  await assert.rejects(supervisor.writeInput(id, texts("a")), InputClosedError);
  assert.equal((await supervisor.status(id)).state, "RUNNING");
});

Deno.test("writeInput() passes 200 MB in order, with constant memory", async () => {
  await using supervisor = new Supervisor();
  const id = await started(
    supervisor,
    "for i in 1 2 3 4; do dd bs=64k count=100 iflag=fullblock status=none; done | cksum; sha256sum",
  );
  const chunk = someBytes(65_536);
  const hash = createHash("sha256");
  const count = 3_200;
  for (let i = 0; i < count - 400; i++) hash.update(chunk);
  const before = Deno.memoryUsage().rss;
  let most = before;
  const taken = await supervisor.writeInput(
    id,
    (async function* () {
      for (let i = 0; i < count; i++) {
        most = Math.max(most, Deno.memoryUsage().rss);
        yield { data: chunk };
      }
      yield { end: true };
    })(),
  );
  assert.equal(taken.bytes, count * chunk.length);
  assert.ok((await outputOf(supervisor, id)).endsWith(`${hash.digest("hex")}  -\n`));
  assert.ok(most - before < 64 * 1024 * 1024, `Grew by ${most - before} bytes`);
});

Deno.test("writeInput() ends when the supervisor closes", async () => {
  const supervisor = new Supervisor();
  const id = await started(supervisor, "exec sleep 1000");
  const source = new Source();
  const writing = supervisor.writeInput(id, source);
  await source.give("a");
  await source.asked();
  await supervisor.close();
  assert.deepEqual(await writing, { bytes: 1, taken: 1, closed: true });
});

Deno.test("status() returns the state of the input after a restart", async () => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  let id: string;
  {
    await using supervisor = new Supervisor({ directory });
    id = await started(supervisor, "cat");
    await supervisor.writeInput(id, texts("abc", "end"));
    await ended(supervisor, id);
  }
  {
    await using supervisor = new Supervisor({ directory });
    assert.deepEqual((await supervisor.status(id)).input, { bytes: 3, closed: true });
    await assert.rejects(supervisor.writeInput(id, texts("d")), JobNotRunningError);
  }
  await Deno.remove(directory, { recursive: true });
});
