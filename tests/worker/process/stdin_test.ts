/** Tests of the input of jobs: each byte arrives once and in order. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import { createHash } from "node:crypto";
import { InputClosedError, JobNotFoundError, JobNotRunningError, NoInputError, Supervisor } from "../../../mod.ts";
import { someBytes } from "../../support/random.ts";
import { encoder, ended, MORE_THAN_A_PIPE, outputOf, Source, started, texts } from "./input.ts";

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
  const result = await supervisor.writeInput(id, texts("one\0", "", "two\n", "end", "never asked for"));
  assert.deepEqual(result, { bytes: 8, accepted: 8, closed: true });
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
  async function* chunks() {
    yield { data: encoder.encode("all"), end: true };
  }
  assert.deepEqual(await supervisor.writeInput(id, chunks()), { bytes: 3, accepted: 3, closed: true });
  assert.equal(await outputOf(supervisor, id), "all");
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

Deno.test("writeInput() returns when the job closes its input", async () => {
  await using supervisor = new Supervisor();
  const id = await started(supervisor, "exec 0<&-; echo closed; exec sleep 1000");
  await using output = supervisor.watchOutput(id);
  await output.next();
  assert.deepEqual(await supervisor.writeInput(id, texts("a")), { bytes: 0, accepted: 0, closed: true });
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
  const result = await supervisor.writeInput(
    id,
    (async function* () {
      for (let i = 0; i < count; i++) {
        most = Math.max(most, Deno.memoryUsage().rss);
        yield { data: chunk };
      }
      yield { end: true };
    })(),
  );
  assert.equal(result.bytes, count * chunk.length);
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
  assert.deepEqual(await writing, { bytes: 1, accepted: 1, closed: true });
});

Deno.test("status() returns the state of the input after a restart", async () => {
  await using temp = await tempDir();
  const directory = temp.path;
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
});
