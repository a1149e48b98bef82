/**
 * Tests of readers with every kind of log: growing, sealed, restored after a restart, and recovered after a crash. The
 * frames have many sizes, and some logs have dropped output.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { InvalidArgumentError, InvalidCursorError } from "../../../worker/errors.ts";
import { type OutputSelection, readOutput } from "../../../worker/output/follow.ts";
import { OutputLog, type OutputLogOptions } from "../../../worker/output/log.ts";
import type { ReadableLog } from "../../../worker/output/readable_log.ts";
import { recoverLog, restoreLog } from "../../../worker/output/restore.ts";
import { collect, ended, expected, live, never, temporary, textOf, WRITTEN } from "./fixture.ts";
import { mirrorOf } from "./mirror.ts";

/** Returns the last lines, as `tail -n` counts them. */
function lastLines(text: string, count: number): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return count === 0 ? "" : lines.slice(-count).join("");
}

/** Returns a mirror of a log, once it has read the log's end. */
async function mirrored(writer: OutputLog, { directory }: OutputLogOptions): Promise<ReadableLog> {
  const { log, sealed } = mirrorOf(writer, directory);
  if (writer.isSealed) await sealed;
  await log.retain(never);
  await log.release();
  return log;
}

/** The kinds of logs, each with the output `WRITTEN`. */
const LOGS: Readonly<Record<string, (options: OutputLogOptions) => Promise<ReadableLog>>> = {
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
  "mirrored, sealed": async (options) => await mirrored(await ended(options), options),
  "mirrored, in many files": async (options) => {
    return await mirrored(await ended({ ...options, limit: { maxBytes: 1_400, policy: "KEEP_NEWEST" } }), options);
  },
};

for (const [kind, make] of Object.entries(LOGS)) {
  const withLog = (use: (log: ReadableLog) => Promise<void>) => () =>
    temporary(async (directory) => {
      const log = await make({ directory: join(directory, "job") });
      await use(log);
      if (log instanceof OutputLog && !log.isSealed) await log.seal();
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
          () => log.end,
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
