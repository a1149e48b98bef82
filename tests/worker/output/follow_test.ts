/** Tests of readers of a growing log: paces, times, dropped files and damage. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { CursorOutOfRangeError } from "../../../worker/errors.ts";
import { OutputUnavailableError } from "../../../worker/storage_errors.ts";
import { formatCursor } from "../../../worker/output/cursor.ts";
import type { OutputChunk } from "../../../worker/output/chunk.ts";
import { readOutput } from "../../../worker/output/follow.ts";
import { OutputLog } from "../../../worker/output/log.ts";
import { someBytes } from "../../support/random.ts";
import {
  accountedBytes,
  append,
  collect,
  expected,
  openUnder,
  reading,
  temporary,
  textOf,
  turn,
  withLog,
  write,
  WRITTEN,
} from "./fixture.ts";

const decoder = new TextDecoder();

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
    const readers = [0, 1, 4].map((turns) => accountedBytes(log, turns));
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

Deno.test("readOutput() yields the same to readers that start before, during and after the output", () =>
  temporary(async (directory) => {
    const log = new OutputLog("job", { directory: join(directory, "job") });
    const readers = [collect(log)];
    for (const one of WRITTEN) {
      await write(log, [one]);
      readers.push(collect(log));
    }
    await log.seal();
    readers.push(collect(log));
    for (const chunks of await Promise.all(readers)) assert.equal(textOf(chunks), expected(WRITTEN));
  }));

Deno.test("readOutput() selects by time, to the millisecond, in a log of several blocks", () =>
  temporary(async (directory) => {
    const log = new OutputLog("job", { directory: join(directory, "job") });
    const block = new Uint8Array(20_000);
    for (let index = 0; index < 60; index++) {
      block.fill(index);
      await log.append("stdout", block);
      await log.flushed();
      // Some frames share a time.
      const now = Date.now();
      if (index % 3 === 0) { while (Date.now() === now); }
    }
    await log.seal();
    const all = await collect(log, { follow: false, exact: true });
    const offsets = (chunks: readonly OutputChunk[]) => chunks.map(({ offset }) => offset);
    assert.equal(all.length, 60);
    // Frames can have finer times than the clock of this test.
    await new Promise((resolve) => setTimeout(resolve, 2));
    for (const { time } of all) {
      const since = await collect(log, { follow: false, exact: true, since: time });
      assert.deepEqual(offsets(since), offsets(all.filter((chunk) => chunk.time >= time)));
      const until = await collect(log, { exact: true, until: time });
      assert.deepEqual(offsets(until), offsets(all.filter((chunk) => chunk.time <= time)));
    }
    assert.deepEqual(await collect(log, { follow: false, since: new Date(Date.now() + 1_000) }), []);
    assert.deepEqual(await collect(log, { until: new Date(0) }), []);
  }));

Deno.test("readOutput() ends at a later `until` when no output comes", () =>
  temporary(async (directory) => {
    const log = new OutputLog("job", { directory: join(directory, "job") });
    await write(log, [["stdout", "before"]]);
    assert.equal(textOf(await collect(log, { until: new Date(Date.now() + 50) })), "before");
    await log.seal();
  }));

Deno.test("readOutput() reports the missing bytes to late and slow readers", () =>
  temporary(async (directory) => {
    const log = new OutputLog("job", {
      directory: join(directory, "job"),
      limit: { maxBytes: 1_000, policy: "KEEP_NEWEST" },
    });
    await write(log, [["stderr", "early\n"], ["stdout", "0\n"]]);
    const slow = readOutput(log, { exact: true }, () => log.end, new AbortController().signal, () => {});
    assert.equal((await slow.next()).done, false);
    for (let index = 1; index < 2_000; index++) await write(log, [["stdout", `${index}\n`]]);
    await log.seal();
    const { stdoutBytes, droppedBytes } = log.totals();
    for (const chunks of [await collect(log), await Array.fromAsync(slow)]) {
      const ofStdout = chunks.filter(({ stream }) => stream === "stdout");
      const got = ofStdout.reduce((sum, { data }) => sum + data.length, 0);
      const missing = ofStdout.reduce((sum, chunk) => sum + chunk.droppedBytes, 0);
      assert.equal(got + missing, stdoutBytes);
      assert.ok(missing > 0);
    }
    const kept = textOf(await collect(log));
    assert.ok(kept.length <= 1_000 && kept.length >= 700, `kept ${kept.length}`);
    assert.ok(kept.endsWith("1998\n1999\n"));
    assert.equal(droppedBytes, stdoutBytes + "early\n".length - kept.length);
    assert.equal(textOf(await collect(log, { tailLines: 3 })), "1997\n1998\n1999\n");
  }));
