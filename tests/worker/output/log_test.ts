/** Tests of logs: batches, totals, failing disks, missing files and waiting readers. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { CursorOutOfRangeError } from "../../../worker/errors.ts";
import { OutputUnavailableError } from "../../../worker/storage_errors.ts";
import { formatCursor } from "../../../worker/output/cursor.ts";
import { OutputLog, type OutputLogOptions } from "../../../worker/output/log.ts";
import type { OutputChunk } from "../../../worker/output/chunk.ts";
import { MAX_PAYLOAD_BYTES, type Stream } from "../../../worker/output/frame.ts";
import { type OutputSelection, readOutput } from "../../../worker/output/follow.ts";
import { someBytes } from "../../support/random.ts";
import { recoverLog } from "../../../worker/output/restore.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const never = new AbortController().signal;

function withLog(
  use: (log: OutputLog, directory: string) => Promise<void>,
  options: Omit<OutputLogOptions, "directory"> = {},
): () => Promise<void> {
  return async () => {
    const parent = await Deno.makeTempDir({ prefix: "teleport-test-" });
    const directory = join(parent, "job");
    const log = new OutputLog("job", { directory, ...options });
    try {
      await use(log, directory);
      if (!log.isSealed) await log.seal();
    } finally {
      await Deno.remove(parent, { recursive: true });
    }
  };
}

function reading(log: OutputLog, selection: OutputSelection = {}): AsyncGenerator<OutputChunk, void, void> {
  const { end } = log;
  return (async function* () {
    yield* readOutput(log, selection, end, never, () => {});
  })();
}

async function collect(log: OutputLog, selection: OutputSelection = {}): Promise<OutputChunk[]> {
  return await Array.fromAsync(reading(log, selection));
}

async function textOf(log: OutputLog): Promise<string> {
  return (await collect(log)).map(({ data }) => decoder.decode(data)).join("");
}

async function append(log: OutputLog, text: string, stream: Stream = "stdout"): Promise<void> {
  await log.append(stream, encoder.encode(text));
  await log.flushed();
}

/** Returns the number of descriptors that this process has open below a directory. */
function openUnder(directory: string): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith(directory);
    } catch {
      return false; // The descriptor of this listing.
    }
  }).length;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

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
      assert.ok(data.length > 0 && data.length <= MAX_PAYLOAD_BYTES);
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
    assert.equal(await textOf(log), "onetwo");
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
  const file = await Deno.makeTempFile({ prefix: "teleport-test-" });
  const log = new OutputLog("job", { directory: join(file, "job") });
  await log.append("stdout", encoder.encode("accepted, then lost"));
  const error = await log.refused;
  await assert.rejects(log.append("stderr", encoder.encode("more")), error);
  await log.seal();
  assert.deepEqual(await collect(log), []);
  const { stdoutBytes, stderrBytes, droppedBytes, stdoutSha256 } = log.totals();
  assert.deepEqual([stdoutBytes, stderrBytes, droppedBytes], [0, 0, "accepted, then lostmore".length]);
  assert.equal(stdoutSha256.toHex(), createHash("sha256").digest("hex"));
  await Deno.remove(file);
});

Deno.test(
  "OutputLog.append() rejects waiting callers when the disk fails, and counts the lost bytes",
  async () => {
    const file = await Deno.makeTempFile({ prefix: "teleport-test-" });
    const log = new OutputLog("job", { directory: join(file, "job") });
    const all = await Promise.allSettled([
      log.append("stdout", new Uint8Array(1_000_000)),
      log.append("stderr", new Uint8Array(2_000_000)),
    ]);
    assert.deepEqual(all.map(({ status }) => status), ["rejected", "rejected"]);
    await log.seal();
    assert.equal(log.totals().droppedBytes, 3_000_000);
    await Deno.remove(file);
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
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
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
  await Deno.remove(directory, { recursive: true });
});

Deno.test(
  "readOutput() yields the whole growing log to every reader, at any pace",
  withLog(async (log) => {
    const digest = async (turns: number) => {
      const hashes = { stdout: createHash("sha256"), stderr: createHash("sha256") };
      for await (const { stream, data } of reading(log)) {
        hashes[stream].update(data);
        for (let count = 0; count < turns; count++) await turn();
      }
      return { stdout: hashes.stdout.digest("hex"), stderr: hashes.stderr.digest("hex") };
    };
    const readers = [0, 0, 1, 5].map(digest);
    for (let index = 0; index < 300; index++) {
      const chunk = someBytes(1 + (index * 7_919) % 40_000);
      await log.append(index % 2 === 0 ? "stdout" : "stderr", chunk);
      if (index % 50 === 0) await turn();
      if (index === 150) readers.push(digest(0), digest(2));
    }
    await log.seal();
    readers.push(digest(0));
    const { stdoutSha256, stderrSha256 } = log.totals();
    const wanted = { stdout: stdoutSha256.toHex(), stderr: stderrSha256.toHex() };
    for (const got of await Promise.all(readers)) assert.deepEqual(got, wanted);
  }),
);

Deno.test(
  "readOutput() continues when files are dropped, and reports every byte",
  withLog(async (log) => {
    await append(log, "x".repeat(400));
    const account = async (turns: number) => {
      let bytes = 0;
      let next = 0;
      for await (const { data, droppedBytes, offset } of reading(log)) {
        assert.equal(offset, next + droppedBytes);
        next = offset + data.length;
        bytes += data.length + droppedBytes;
        for (let count = 0; count < turns; count++) await turn();
      }
      return bytes;
    };
    const readers = [account(0), account(1), account(4)];
    for (let index = 0; index < 1_500; index++) {
      await log.append("stdout", new Uint8Array(400));
      if (index % 3 === 0) await log.flushed();
    }
    await log.seal();
    assert.ok(log.start.position > 0);
    for (const bytes of await Promise.all(readers)) assert.equal(bytes, 1_501 * 400);
  }, { limit: { maxBytes: 2_000, policy: "KEEP_NEWEST" } }),
);

Deno.test(
  "readOutput() yields no output after `until`",
  withLog(async (log) => {
    await append(log, "before");
    const until = new Date(Date.now() + 20);
    const reader = reading(log, { until });
    assert.equal(decoder.decode((await reader.next()).value?.data), "before");
    while (Date.now() <= until.getTime()) await turn();
    await append(log, "after"); // Before the next read, which must not yield it.
    assert.equal((await reader.next()).done, true);
  }),
);

Deno.test(
  "readOutput() throws the error of abandon() when the files are removed",
  withLog(async (log, directory) => {
    for (let index = 0; index < 20; index++) await log.append("stdout", new Uint8Array(65_536));
    await log.seal();
    const readers = [reading(log), reading(log, { tailBytes: 1_000_000 })];
    for (const reader of readers) await reader.next();
    const reason = new Error("removed");
    log.abandon(reason);
    await log.remove();
    for (const reader of readers) {
      await assert.rejects(async () => {
        for await (const _ of reader);
      }, reason);
    }
    assert.equal(openUnder(directory), 0);
    await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
  }),
);

Deno.test(
  "readOutput() throws OutputUnavailableError for a damaged file, and closes it",
  withLog(async (log, directory) => {
    await append(log, "whole");
    await append(log, "damaged", "stderr");
    await log.seal();
    const file = join(directory, "0000000000000000.log");
    const bytes = await Deno.readFile(file);
    const at = bytes.length - 6; // In the last payload.
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await Deno.writeFile(file, bytes);
    const reader = reading(log);
    assert.equal(decoder.decode((await reader.next()).value?.data), "whole");
    await assert.rejects(reader.next(), OutputUnavailableError);
    await Deno.truncate(file, 100);
    await assert.rejects(collect(log, { tailLines: 1 }), OutputUnavailableError);
    assert.equal(openUnder(directory), 0);
  }),
);

Deno.test(
  "readOutput() shares one descriptor between readers, and the last one closes it",
  withLog(async (log, directory) => {
    await append(log, "one");
    assert.equal(openUnder(directory), 1); // The descriptor of the writer.
    const readers = Array.from({ length: 20 }, () => reading(log));
    await Promise.all(readers.map((reader) => reader.next()));
    assert.equal(openUnder(directory), 2);
    const last = readers.pop();
    await Promise.all(readers.map((reader) => reader.return()));
    assert.equal(openUnder(directory), 2);
    await last?.return();
    assert.equal(openUnder(directory), 1);
    await log.seal();
    assert.equal(openUnder(directory), 0);
  }),
);

Deno.test(
  "readOutput() refuses a signed cursor after the end",
  withLog(async (log) => {
    await append(log, "one");
    const { identity } = log.reader;
    const beyond = { position: log.end.position + 1, offsets: { stdout: 4, stderr: 0 } };
    await assert.rejects(collect(log, { cursor: formatCursor(identity, beyond) }), CursorOutOfRangeError);
    const reader = reading(log, { cursor: formatCursor(identity, log.end) });
    const next = reader.next();
    await append(log, "two");
    assert.equal(decoder.decode((await next).value?.data), "two");
    await reader.return();
  }),
);

Deno.test(
  "OutputLog.waitForGrowth() waits for growth or the seal, and not for existing output",
  withLog(async (log) => {
    const first = log.waitForGrowth(0, never);
    await append(log, "one");
    await first;
    await log.waitForGrowth(0, never);
    let grown = false;
    const second = log.waitForGrowth(log.end.position, never).then(() => grown = true);
    await turn();
    assert.equal(grown, false);
    await log.seal();
    await second;
    await log.waitForGrowth(log.end.position, never);
  }),
);

Deno.test(
  "OutputLog.waitForGrowth() throws the signal's reason, before and during the wait",
  withLog(async (log) => {
    const reason = new Error("enough");
    await assert.rejects(log.waitForGrowth(0, AbortSignal.abort(reason)), reason);
    const abort = new AbortController();
    const waiting = log.waitForGrowth(0, abort.signal);
    abort.abort(reason);
    await assert.rejects(waiting, reason);
  }),
);

Deno.test(
  "OutputLog.abandon() ends current and later waits",
  withLog(async (log) => {
    const reason = new Error("gone");
    const waiting = log.waitForGrowth(0, never);
    log.abandon(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(log.waitForGrowth(0, never), reason);
  }),
);

const inFiles: Omit<OutputLogOptions, "directory"> = { limit: { maxBytes: 4_000, policy: "KEEP_NEWEST" } };

Deno.test(
  "recoverLog() refuses a log with a damaged frame or a missing file, and does not change its files",
  withLog(async (log, directory) => {
    for (let index = 0; index < 9; index++) await append(log, String(index).repeat(400));
    await log.seal();
    const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
    assert.ok(names.length > 2);
    const copy = async (name: string) => {
      const target = join(directory, "..", name);
      await Deno.mkdir(target);
      for (const file of names) await Deno.copyFile(join(directory, file), join(target, file));
      return target;
    };
    const second = names[1] ?? "";

    const damaged = await copy("damaged");
    const bytes = await Deno.readFile(join(damaged, second));
    bytes[200] = (bytes[200] ?? 0) ^ 1; // In the first frame of the second file.
    await Deno.writeFile(join(damaged, second), bytes);
    const missing = await copy("missing");
    await Deno.remove(join(missing, second));

    const header = await copy("header");
    const begin = await Deno.readFile(join(header, second));
    begin[50] = (begin[50] ?? 0) ^ 1;
    await Deno.writeFile(join(header, second), begin);

    for (
      const [target, count] of [[damaged, names.length], [missing, names.length - 1], [header, names.length]] as const
    ) {
      const before = [...Deno.readDirSync(target)].map(({ name }) => Deno.readFileSync(join(target, name)));
      await assert.rejects(recoverLog(log.id, { directory: target, ...inFiles }), OutputUnavailableError);
      assert.deepEqual([...Deno.readDirSync(target)].map(({ name }) => Deno.readFileSync(join(target, name))), before);
      assert.equal(before.length, count);
    }
    await assert.rejects(recoverLog("another", { directory, ...inFiles }), OutputUnavailableError);
  }, inFiles),
);
