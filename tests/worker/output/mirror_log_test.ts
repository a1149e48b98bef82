/** Tests of a log that another process writes. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { JobNotFoundError } from "../../../worker/errors.ts";
import { OutputUnavailableError } from "../../../worker/storage_errors.ts";
import { readOutput } from "../../../worker/output/follow.ts";
import { OutputLog } from "../../../worker/output/log.ts";
import { LOG_START } from "../../../worker/output/cursor.ts";
import { MirrorLog, type MirrorState, NO_TOTALS } from "../../../worker/output/mirror_log.ts";
import { deadline } from "../../support/deadline.ts";
import { someBytes } from "../../support/random.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { accountedBytes, append, never, openUnder, temporary, textOf, turn, withLog } from "./fixture.ts";
import { mirrorOf } from "./mirror.ts";

/** Reads a mirror to its end and returns the digest of each stream. */
async function digest(log: MirrorLog, turns: number): Promise<{ stdout: string; stderr: string }> {
  const hashes = { stdout: createHash("sha256"), stderr: createHash("sha256") };
  for await (const { stream, data } of readOutput(log, {}, () => log.end, never, () => {})) {
    hashes[stream].update(data);
    for (let count = 0; count < turns; count++) await turn();
  }
  return { stdout: hashes.stdout.digest("hex"), stderr: hashes.stderr.digest("hex") };
}

Deno.test(
  "MirrorLog gives the whole growing log to readers that start before the first byte, during and after the output",
  withLog(async (writer, directory) => {
    const { log, sealed, watched } = mirrorOf(writer, directory);
    const readers = [digest(log, 0), digest(log, 3)];
    for (let index = 0; index < 200; index++) {
      await writer.append(index % 2 === 0 ? "stdout" : "stderr", someBytes(1 + (index * 7_919) % 40_000));
      if (index % 50 === 0) await turn();
      if (index === 100) readers.push(digest(log, 0), digest(log, 1));
    }
    assert.equal(watched(), true);
    await writer.seal();
    await sealed;
    readers.push(digest(log, 0));
    const { stdoutSha256, stderrSha256 } = writer.totals();
    const wanted = { stdout: stdoutSha256.toHex(), stderr: stderrSha256.toHex() };
    for (const got of await deadline(Promise.all(readers))) assert.deepEqual(got, wanted);
    assert.deepEqual(log.totals(), writer.totals());
    assert.equal(openUnder(directory), 0);
  }),
);

Deno.test(
  "MirrorLog follows files that are added and deleted, and reports every byte",
  withLog(async (writer, directory) => {
    const { log, sealed } = mirrorOf(writer, directory);
    const readers = [0, 1, 4].map((turns) => accountedBytes(log, turns));
    for (let index = 0; index < 1_500; index++) {
      await writer.append("stdout", new Uint8Array(400));
      if (index % 3 === 0) await writer.flushed();
      if (index % 100 === 0) await turn();
    }
    await writer.seal();
    await sealed;
    assert.ok(writer.start.position > 0);
    readers.push(accountedBytes(log, 0));
    for (const bytes of await deadline(Promise.all(readers))) assert.equal(bytes, 1_500 * 400);
    assert.equal(openUnder(directory), 0);
  }, { limit: { maxBytes: 2_000, policy: "KEEP_NEWEST" } }),
);

Deno.test(
  "MirrorLog lets a reader jump over deleted files before their deletion is reported",
  withLog(async (writer, directory) => {
    const source = { watch: () => Promise.resolve({ ...writer.summary(), start: writer.start }), unwatch: () => {} };
    const log = new MirrorLog("job", { directory, isSegmented: true }, source);
    await append(writer, "first");
    const reading = readOutput(log, { exact: true }, () => log.end, never, () => {});
    let next = 0;
    let dropped = 0;
    const read = async () => {
      const { data, offset, droppedBytes } = (await deadline(reading.next())).value!;
      assert.equal(offset, next + droppedBytes);
      next = offset + data.length;
      dropped += droppedBytes;
    };
    await read();
    for (let index = 0; index < 20; index++) await append(writer, `${index}`.repeat(200));
    log.advance({ start: log.start, end: writer.end });
    while (next < writer.totals().stdoutBytes) await read();
    assert.ok(dropped > 0);
    await reading.return();
  }, { limit: { maxBytes: 2_000, policy: "KEEP_NEWEST" } }),
);

Deno.test(
  "MirrorLog gives a reader that does not follow what exists, with the totals of exactly that",
  withLog(async (writer, directory) => {
    const { log, watched } = mirrorOf(writer, directory);
    await append(writer, "one\n");
    const totals = writer.totals();
    let end = log.end;
    const reading = readOutput(log, { follow: false }, () => (end = log.summary().end), never, () => log.summary());
    const first = await reading.next();
    await append(writer, "two\n");
    await turn();
    assert.equal(first.done ? "" : textOf([first.value]), "one\n");
    assert.deepEqual(await reading.next(), { done: true, value: { start: writer.start, end, totals } });
    // The digests of an older end must not pass for those of the new one.
    assert.deepEqual([log.totals().stdoutBytes, log.totals().stdoutSha256.length], [8, 0]);
    assert.equal(watched(), false);
    assert.equal(
      textOf(await Array.fromAsync(readOutput(log, { follow: false }, () => log.end, never, () => {}))),
      "one\ntwo\n",
    );
  }),
);

Deno.test("MirrorLog waits for the seal when its writer has sealed the log", () =>
  temporary(async (directory) => {
    const writer = new OutputLog("job", { directory });
    await append(writer, "all");
    await writer.seal();
    const log = new MirrorLog("job", { directory, isSegmented: false }, {
      watch: () => Promise.resolve(undefined),
      unwatch: () => {},
    });
    const text = Array.fromAsync(readOutput(log, { follow: false }, () => log.end, never, () => {}));
    await turn();
    log.seal(writer.summary());
    assert.equal(textOf(await deadline(text)), "all");
    assert.equal(openUnder(directory), 0);
  }));

Deno.test("MirrorLog.retain() throws the writer's error, and a later reader tries again", () =>
  temporary(async (directory) => {
    const failure = new Error("no writer");
    let isReachable = false;
    const log = new MirrorLog("job", { directory, isSegmented: false }, {
      watch: () => isReachable ? Promise.resolve(undefined) : Promise.reject(failure),
      unwatch: () => {},
    });
    await assert.rejects(Array.fromAsync(readOutput(log, {}, () => log.end, never, () => {})), failure);
    assert.equal(log.reader.count, 0);
    isReachable = true;
    log.seal(new OutputLog("job", { directory }).summary());
    assert.deepEqual(await Array.fromAsync(readOutput(log, {}, () => log.end, never, () => {})), []);
  }));

Deno.test("MirrorLog.abandon() ends readers, and readers of removed files get its error", () =>
  temporary(async (parent) => {
    const directory = join(parent, "job");
    const writer = new OutputLog("job", { directory });
    await append(writer, "x".repeat(300_000));
    await append(writer, "y".repeat(300_000));
    const { log, sealed } = mirrorOf(writer, directory);
    const waiting = Array.fromAsync(readOutput(log, { tailBytes: 0 }, () => log.end, never, () => {}));
    const behind = readOutput(log, {}, () => log.end, never, () => {});
    await behind.next();
    const error = new JobNotFoundError("job");
    log.abandon(error);
    await assert.rejects(deadline(waiting), error);
    await writer.seal();
    await sealed;
    await log.remove();
    await Deno.remove(directory, { recursive: true });
    await log.reader.release(); // Closes the shared descriptor, so that the next read must open the file.
    await assert.rejects(Array.fromAsync(behind), error);
  }));

Deno.test("MirrorLog reports files that are missing", () =>
  temporary(async (directory) => {
    const writer = new OutputLog("job", { directory });
    await append(writer, "lost");
    await writer.seal();
    await Deno.remove(join(directory, "0000000000000000.log"));
    const { log, sealed } = mirrorOf(writer, directory);
    await sealed;
    await assert.rejects(Array.fromAsync(readOutput(log, {}, () => log.end, never, () => {})), OutputUnavailableError);
  }));

Deno.test("MirrorLog asks the writer once for readers that come while it answers, and gives none of them an old end", async () => {
  const answers: PromiseWithResolvers<MirrorState>[] = [];
  const source = {
    watch() {
      const answer = Promise.withResolvers<MirrorState>();
      answers.push(answer);
      return answer.promise;
    },
    unwatch() {},
  };
  await using temp = await tempDir();
  const log = new MirrorLog("a", { directory: temp.path, isSegmented: false }, source);
  const states = Array.from({ length: 3 }, () => log.retain(never));
  for (let turns = 0; turns < 3; turns++) await turn();
  assert.equal(answers.length, 1);
  answers[0]?.reject(new JobNotFoundError("a")); // Only the first reader has asked this question.
  await assert.rejects(deadline(states[0] ?? Promise.resolve()));
  for (let turns = 0; turns < 3; turns++) await turn();
  assert.equal(answers.length, 2);
  answers[1]?.resolve({ start: LOG_START, end: LOG_START, totals: NO_TOTALS });
  await deadline(Promise.all(states.slice(1)));
  const later = log.retain(never);
  for (let turns = 0; turns < 3; turns++) await turn();
  assert.equal(answers.length, 3);
  answers[2]?.resolve({ start: LOG_START, end: LOG_START, totals: NO_TOTALS });
  await deadline(later);
});
