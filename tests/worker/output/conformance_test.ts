/**
 * Tests of readers with every kind of log: growing, sealed, restored after a restart, and recovered after a crash. The
 * frames have many sizes, and some logs have dropped output.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { InvalidArgumentError, InvalidCursorError } from "../../../worker/errors.ts";
import { OutputLog, type OutputLogOptions } from "../../../worker/output/log.ts";
import type { OutputChunk } from "../../../worker/output/chunk.ts";
import type { Stream } from "../../../worker/output/frame.ts";
import { type OutputSelection, readOutput } from "../../../worker/output/follow.ts";
import { recoverLog, restoreLog } from "../../../worker/output/restore.ts";

type Written = readonly (readonly [Stream, string])[];

/** Lines of many lengths on both streams, with control characters, and without a newline at the end. */
const WRITTEN: Written = [
  ["stdout", "first\n"],
  ["stderr", "warning: \u0000\u0001\n"],
  ["stdout", "a\nb\nc\n\n"],
  ["stdout", `${"x".repeat(300)}\n`],
  ["stderr", "e1\ne2\n"],
  ["stdout", "no newline yet"],
  ["stdout", " and now\n"],
  ["stderr", "\n"],
  ["stdout", Array.from({ length: 60 }, (_, index) => `line ${index}\n`).join("")],
  ["stderr", "last words"],
];

const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function temporary(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Writes each chunk as one frame. */
async function write(log: OutputLog, written: Written): Promise<void> {
  for (const [stream, text] of written) {
    await log.append(stream, encoder.encode(text));
    await log.flushed();
  }
}

async function collect(log: OutputLog, selection: OutputSelection = {}): Promise<OutputChunk[]> {
  return await Array.fromAsync(readOutput(log, selection, log.end, new AbortController().signal, () => {}));
}

function textOf(chunks: readonly OutputChunk[]): string {
  return chunks.map(({ data }) => decoder.decode(data)).join("");
}

function expected(written: Written, stream?: Stream): string {
  return written.filter(([of]) => stream === undefined || of === stream).map(([, text]) => text).join("");
}

/** Returns the last lines, as `tail -n` counts them. */
function lastLines(text: string, count: number): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return count === 0 ? "" : lines.slice(-count).join("");
}

async function live(options: OutputLogOptions): Promise<OutputLog> {
  const log = new OutputLog("job", options);
  await write(log, WRITTEN);
  return log;
}

async function ended(options: OutputLogOptions): Promise<OutputLog> {
  const log = await live(options);
  await log.seal();
  return log;
}

/** The kinds of logs, each with the output `WRITTEN`. */
const LOGS: Readonly<Record<string, (options: OutputLogOptions) => Promise<OutputLog>>> = {
  live,
  ended,
  async restored(options) {
    const log = await ended(options);
    return restoreLog("job", options, log.end, log.totals());
  },
  async recovered(options) {
    await ended(options);
    return await recoverLog("job", options);
  },
  async "in many files"(options) {
    // The limit keeps all output, in files of a quarter of the limit.
    const log = await ended({ ...options, limit: { maxBytes: 1_400, policy: "KEEP_NEWEST" } });
    assert.equal(log.start.position, 0);
    assert.ok(log.reader.fileStarts.length > 1);
    return log;
  },
};

for (const [kind, make] of Object.entries(LOGS)) {
  const withLog = (use: (log: OutputLog) => Promise<void>) => () =>
    temporary(async (directory) => {
      const log = await make({ directory: join(directory, "job") });
      await use(log);
      if (!log.isSealed) await log.seal();
    });

  Deno.test(
    `readOutput() yields all of a log that is ${kind}, for both streams and for each`,
    withLog(async (log) => {
      assert.equal(textOf(await collect(log, { follow: false })), expected(WRITTEN));
      for (const stream of ["stdout", "stderr"] as const) {
        assert.equal(textOf(await collect(log, { follow: false, stream })), expected(WRITTEN, stream));
      }
    }),
  );

  for (const tail of [0, 1, 2, 42, 1_000]) {
    Deno.test(
      `readOutput() yields the last ${tail} lines and bytes of a log that is ${kind}`,
      withLog(async (log) => {
        for (const stream of [undefined, "stdout", "stderr"] as const) {
          const all = expected(WRITTEN, stream);
          const select = stream === undefined ? {} : { stream };
          const lines = textOf(await collect(log, { follow: false, tailLines: tail, ...select }));
          const bytes = textOf(await collect(log, { follow: false, tailBytes: tail, ...select }));
          assert.equal(lines, lastLines(all, tail), `lines of ${stream}`);
          assert.equal(bytes, tail === 0 ? "" : all.slice(-tail), `bytes of ${stream}`);
        }
      }),
    );
  }

  Deno.test(
    `readOutput() resumes at every frame of a log that is ${kind}, twice`,
    withLog(async (log) => {
      const chunks = await collect(log, { follow: false, exact: true });
      assert.ok(chunks.length >= WRITTEN.length);
      const rest = (index: number) => textOf(chunks.slice(index));
      for (const [first, { cursor }] of chunks.entries()) {
        const resumed = await collect(log, { follow: false, exact: true, cursor });
        assert.equal(textOf(resumed), rest(first + 1));
        for (const [second, { cursor }] of resumed.entries()) {
          assert.equal(textOf(await collect(log, { follow: false, cursor })), rest(first + second + 2));
        }
      }
    }),
  );

  Deno.test(
    `readOutput() returns the cursor after all examined output of a log that is ${kind}`,
    withLog(async (log) => {
      const all = await collect(log, { follow: false, exact: true });
      const restAfter = async (selection: OutputSelection) => {
        const reading = readOutput(
          log,
          { follow: false, ...selection },
          log.end,
          new AbortController().signal,
          (cursor) => cursor,
        );
        let result = await reading.next();
        while (!result.done) result = await reading.next();
        return textOf(await collect(log, { follow: false, cursor: result.value }));
      };
      const everything: OutputSelection[] = [{}, { tailLines: 0 }, { tailBytes: 3 }, { stream: "stderr" }];
      for (const selection of everything) assert.equal(await restAfter(selection), "");
      // Later output follows the cursor.
      for (const time of new Set(all.map(({ time }) => time.getTime()))) {
        const later = all.filter((chunk) => chunk.time.getTime() > time);
        assert.equal(await restAfter({ until: new Date(time) }), textOf(later));
      }
      assert.equal(await restAfter({ until: new Date(0) }), textOf(all));
    }),
  );

  Deno.test(
    `readOutput() yields consecutive offsets of a log that is ${kind}`,
    withLog(async (log) => {
      const next = { stdout: 0, stderr: 0 };
      for (const { stream, offset, data } of await collect(log, { follow: false })) {
        assert.equal(offset, next[stream]);
        next[stream] += data.length;
      }
      const { stdoutBytes, stderrBytes } = log.totals();
      assert.deepEqual(next, { stdout: stdoutBytes, stderr: stderrBytes });
    }),
  );

  Deno.test(
    `readOutput() refuses wrong cursors of a log that is ${kind}`,
    withLog(async (log) => {
      const [chunk] = await collect(log, { follow: false, exact: true });
      assert.ok(chunk);
      const [position, ...others] = chunk.cursor.split(".");
      const cut = chunk.cursor.slice(0, -1);
      for (const cursor of [`${position}0.${others.join(".")}`, cut, `${chunk.cursor}x`, "0.0.0.AAAAAAAA", "x"]) {
        await assert.rejects(collect(log, { follow: false, cursor }), InvalidCursorError, cursor);
      }
    }),
  );

  Deno.test(
    `readOutput() refuses invalid selections of a log that is ${kind}`,
    withLog(async (log) => {
      const [chunk] = await collect(log, { follow: false, exact: true });
      assert.ok(chunk);
      const impossible: readonly OutputSelection[] = [
        { tailLines: -1 },
        { tailLines: 1.5 },
        { tailBytes: NaN },
        { tailLines: 1, tailBytes: 1 },
        { tailLines: 1, cursor: chunk.cursor },
        { since: new Date(NaN) },
      ];
      for (const selection of impossible) {
        await assert.rejects(collect(log, { follow: false, ...selection }), InvalidArgumentError);
      }
    }),
  );
}

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
    const slow = readOutput(log, { exact: true }, log.end, new AbortController().signal, () => {});
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

Deno.test("recoverLog() keeps all frames except an incomplete last one, cut at any byte", () =>
  temporary(async (directory) => {
    const whole = join(directory, "whole");
    const log = new OutputLog("job", { directory: whole });
    await write(log, WRITTEN.slice(0, -1));
    const before = log.end.position;
    await write(log, WRITTEN.slice(-1));
    await log.seal();
    const name = [...Deno.readDirSync(whole)][0]?.name ?? "";
    const bytes = await Deno.readFile(join(whole, name));
    const headerBytes = bytes.length - log.end.position;
    const recoverAt = async (length: number) => {
      const torn = join(directory, String(length));
      await Deno.mkdir(torn);
      await Deno.writeFile(join(torn, name), bytes.subarray(0, length));
      return textOf(await collect(await recoverLog("job", { directory: torn })));
    };
    for (let length = headerBytes + before; length < bytes.length; length++) {
      assert.equal(await recoverAt(length), expected(WRITTEN.slice(0, -1)), `at ${length}`);
      assert.equal((await Deno.stat(join(directory, String(length), name))).size, headerBytes + before);
    }
    for (let length = 0; length < headerBytes; length++) assert.equal(await recoverAt(length), "");
  }));

Deno.test("recoverLog() computes the totals and digests", () =>
  temporary(async (directory) => {
    const options = { directory: join(directory, "job") };
    const log = await ended(options);
    const recovered = await recoverLog("job", options);
    assert.deepEqual(recovered.totals(), log.totals());
    assert.deepEqual(recovered.end, log.end);
  }));

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
