/** Tests of the writing side of a log: batches, totals, limits and failing disks. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { MAX_CHUNK_BYTES } from "../../../worker/output/chunk.ts";
import type { Stream } from "../../../worker/output/frame.ts";
import { OutputLog } from "../../../worker/output/log.ts";
import { recoverLog } from "../../../worker/output/restore.ts";
import { someBytes } from "../../support/random.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { append, collect, reading, readText, temporary, textOf, withLog } from "./fixture.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

Deno.test(
  "OutputLog.append() keeps order, totals and digests over chunks of every size on both streams",
  withLog(async (log) => {
    const written = { stdout: createHash("sha256"), stderr: createHash("sha256") };
    const bytes = { stdout: 0, stderr: 0 };
    for (const [index, size] of [1, 0, 7, 65_535, 65_536, 65_537, 300_000, 2, 1_000_000, 3].entries()) {
      const stream = index % 3 === 0 ? "stderr" : "stdout";
      const chunk = someBytes(Math.min(size, 65_536));
      const whole = new Uint8Array(size).map((_, at) => chunk[at % chunk.length] ?? 0);
      written[stream].update(whole);
      bytes[stream] += size;
      await log.append(stream, whole);
    }
    await log.seal();
    const totals = log.totals();
    assert.deepEqual({ stdout: totals.stdoutBytes, stderr: totals.stderrBytes }, bytes);
    assert.equal(totals.droppedBytes, 0);
    const digests = { stdout: written.stdout.digest("hex"), stderr: written.stderr.digest("hex") };
    assert.deepEqual({ stdout: totals.stdoutSha256.toHex(), stderr: totals.stderrSha256.toHex() }, digests);
    const read = { stdout: createHash("sha256"), stderr: createHash("sha256") };
    for (const { stream, data } of await collect(log)) {
      assert.ok(data.length > 0 && data.length <= MAX_CHUNK_BYTES);
      read[stream].update(data);
    }
    assert.deepEqual({ stdout: read.stdout.digest("hex"), stderr: read.stderr.digest("hex") }, digests);
  }),
);

Deno.test(
  "OutputLog.append() copies the chunk",
  withLog(async (log) => {
    const chunk = encoder.encode("one");
    const first = log.append("stdout", chunk);
    chunk.set(encoder.encode("two"));
    await Promise.all([first, log.append("stdout", chunk)]);
    chunk.fill(0);
    await log.seal();
    assert.equal(await readText(log), "onetwo");
  }),
);

Deno.test(
  "OutputLog.append() joins chunks of one stream, and keeps the order of the streams",
  withLog(async (log) => {
    const parts: readonly (readonly [Stream, string])[] = [
      ["stdout", "a"],
      ["stdout", "b"],
      ["stderr", "c"],
      ["stderr", "d"],
      ["stdout", "e"],
    ];
    await Promise.all(parts.map(([stream, text]) => log.append(stream, encoder.encode(text))));
    await log.seal();
    const chunks = await collect(log, { exact: true });
    assert.deepEqual(chunks.map(({ stream, data }) => [stream, decoder.decode(data)]), [
      ["stdout", "ab"],
      ["stderr", "cd"],
      ["stdout", "e"],
    ]);
  }),
);

Deno.test(
  "OutputLog.append() waits while two batches are being written",
  withLog(async (log) => {
    let resolved = false;
    const large = log.append("stdout", new Uint8Array(4_000_000)).then(() => resolved = true);
    await Promise.resolve();
    assert.equal(resolved, false);
    assert.equal(log.end.position, 0);
    await large;
    // When the last byte has room, all except the last batches are in the file.
    assert.ok(log.end.offsets.stdout >= 4_000_000 - 2 * 262_144);
  }),
);

Deno.test(
  "OutputLog.seal() creates no file for a job without output",
  withLog(async (log, directory) => {
    await log.append("stdout", new Uint8Array());
    await log.seal();
    assert.deepEqual(await collect(log), []);
    assert.equal(log.totals().stdoutSha256.toHex(), createHash("sha256").digest("hex"));
    await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
    await log.remove();
  }),
);

Deno.test(
  "OutputLog.append() creates files that other users cannot read",
  withLog(async (log, directory) => {
    await append(log, "secret");
    assert.equal(((await Deno.stat(directory)).mode ?? 0) & 0o777, 0o700);
    for (const { name } of Deno.readDirSync(directory)) {
      assert.equal(((await Deno.stat(join(directory, name))).mode ?? 0) & 0o777, 0o600);
    }
  }),
);

Deno.test("OutputLog.append() refuses all output after it could not create the directory", async () => {
  await using temporary = await tempDir();
  await Deno.writeTextFile(join(temporary.path, "file"), "");
  const log = new OutputLog("job", { directory: join(temporary.path, "file", "job") });
  await log.append("stdout", encoder.encode("accepted, then lost"));
  const error = await log.refused;
  await assert.rejects(log.append("stderr", encoder.encode("more")), error);
  await log.seal();
  assert.deepEqual(await collect(log), []);
  const { stdoutBytes, stderrBytes, droppedBytes, stdoutSha256 } = log.totals();
  assert.deepEqual([stdoutBytes, stderrBytes, droppedBytes], [0, 0, "accepted, then lostmore".length]);
  assert.equal(stdoutSha256.toHex(), createHash("sha256").digest("hex"));
});

Deno.test(
  "OutputLog.append() rejects waiting callers when the disk fails, and counts the lost bytes",
  async () => {
    await using temporary = await tempDir();
    await Deno.writeTextFile(join(temporary.path, "file"), "");
    const log = new OutputLog("job", { directory: join(temporary.path, "file", "job") });
    const all = await Promise.allSettled([
      log.append("stdout", new Uint8Array(1_000_000)),
      log.append("stderr", new Uint8Array(2_000_000)),
    ]);
    assert.deepEqual(all.map(({ status }) => status), ["rejected", "rejected"]);
    await log.seal();
    assert.equal(log.totals().droppedBytes, 3_000_000);
  },
);

Deno.test(
  "OutputLog.append() keeps stored output when the directory disappears, and counts the rest",
  withLog(async (log, directory) => {
    let accepted = 0;
    await append(log, "x".repeat(1_000));
    accepted += 1_000;
    const reader = reading(log);
    assert.equal((await reader.next()).value?.data.length, 1_000); // The reader has the file open.
    await Deno.remove(directory, { recursive: true });
    await append(log, "y".repeat(1_000)); // Goes to the file without a name.
    accepted += 1_000;
    while (true) {
      try {
        await append(log, "z".repeat(1_000)); // Needs a new file at some point.
        accepted += 1_000;
      } catch {
        accepted += 1_000;
        break;
      }
      assert.ok(accepted < 100_000);
    }
    await log.refused;
    await log.seal();
    const { stdoutBytes, droppedBytes } = log.totals();
    assert.equal(stdoutBytes + droppedBytes - log.start.offsets.stdout, accepted);
    const rest = await Array.fromAsync(reader, ({ data }) => decoder.decode(data));
    assert.equal(rest.join(""), "y".repeat(stdoutBytes - 1_000));
  }, { limit: { maxBytes: 8_000, policy: "KEEP_NEWEST" } }),
);

Deno.test("OutputLog.append() cuts off a partial frame when the disk is full", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const script = join(directory, "write.ts");
  const moduleOf = (name: string) => JSON.stringify(import.meta.resolve(`../../../worker/output/${name}.ts`));
  await Deno.writeTextFile(
    script,
    `import { OutputLog } from ${moduleOf("log")};
     const log = new OutputLog("job", { directory: ${JSON.stringify(join(directory, "job"))} });
     let written = 0;
     const chunk = new Uint8Array(65_537).fill(120);
     let failed = "";
     while (failed === "") await log.append("stdout", chunk).then(() => written += chunk.length, (e) => failed = e.message);
     await log.seal();
     const { stdoutBytes, droppedBytes } = log.totals();
     console.log(JSON.stringify({ failed, written, lost: chunk.length, stdoutBytes, droppedBytes }));`,
  );
  // A limit on the file size (setrlimit(2)) acts like a full disk: it accepts a part of the last write, then nothing.
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", 'trap "" XFSZ; ulimit -f 32768; exec "$@"', "sh", Deno.execPath(), "run", "-A", "--no-check", script],
  }).output();
  assert.ok(success, decoder.decode(stderr));
  const report = JSON.parse(decoder.decode(stdout));
  assert.match(report.failed, /too large/);
  assert.equal(report.stdoutBytes + report.droppedBytes, report.written + report.lost);
  assert.ok(report.stdoutBytes > 16_000_000 && report.stdoutBytes < 16_777_216);
  const file = join(directory, "job", "0000000000000000.log");
  const { size } = await Deno.stat(file);
  const recovered = await recoverLog("job", { directory: join(directory, "job") });
  assert.equal(recovered.totals().stdoutBytes, report.stdoutBytes);
  assert.equal((await Deno.stat(file)).size, size); // There was no partial frame to cut.
});

Deno.test("OutputLog.append() stores output up to a STOP limit and refuses the rest", () =>
  temporary(async (directory) => {
    const log = new OutputLog("job", { directory: join(directory, "job"), limit: { maxBytes: 10, policy: "STOP" } });
    await log.append("stdout", encoder.encode("123456"));
    await assert.rejects(log.append("stderr", encoder.encode("abcdefgh")), { code: "LIMIT_REACHED" });
    await assert.rejects(log.append("stdout", encoder.encode("7")), { code: "LIMIT_REACHED" });
    assert.match((await log.refused).message, /limit/);
    await log.seal();
    assert.equal(textOf(await collect(log)), "123456abcd");
    assert.equal(log.totals().droppedBytes, 5);
  }));

Deno.test("OutputLog.append() waits at a BLOCK limit until the job has ended", () =>
  temporary(async (directory) => {
    const log = new OutputLog("job", { directory: join(directory, "job"), limit: { maxBytes: 4, policy: "BLOCK" } });
    const over = new AbortController();
    let done = false;
    const blocked = log.append("stdout", encoder.encode("123456"), over.signal).then(() => done = true);
    await log.flushed();
    assert.equal(textOf(await collect(log, { follow: false })), "1234");
    assert.equal(done, false);
    over.abort();
    await blocked;
    await log.append("stdout", encoder.encode("7"), over.signal);
    await log.seal();
    assert.equal(log.totals().droppedBytes, 3);
  }));
