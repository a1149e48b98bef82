/** Tests of logs that a crash left. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { OutputUnavailableError } from "../../../worker/storage_errors.ts";
import { OutputLog, type OutputLogOptions } from "../../../worker/output/log.ts";
import { recoverLog } from "../../../worker/output/restore.ts";
import { append, collect, ended, expected, temporary, textOf, withLog, write, WRITTEN } from "./fixture.ts";

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
