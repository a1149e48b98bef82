/** Tests for the journal of ends: batches, syncs, its size, and a disk that refuses it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { EndJournal } from "../../../worker/host/end_journal.ts";
import { journalPath } from "../../../worker/host/end_line.ts";
import { deadline, eventually } from "../../support/deadline.ts";
import { needingDisk, onDisk } from "../../support/small_disk.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { endOf, endsIn, idsIn } from "./ends.ts";
import { countingSyncs, openIn } from "./open_journal.ts";

Deno.test("readEnds() returns what write() wrote", async () => {
  await using temporary = await tempDir();
  const journal = openIn(temporary.path);
  assert.ok(journal.isWritten);
  const ends = [endOf("a"), endOf("b"), endOf("c", "x".repeat(100_000))];
  const written = Promise.all(ends.map((end) => journal.write(end)));
  assert.ok(!journal.isWritten);
  await written;
  assert.equal(Deno.statSync(journalPath(temporary.path)).mode! & 0o777, 0o600);
  assert.deepEqual(endsIn(temporary.path), ends);
  await journal.close();
  assert.ok(journal.isWritten);
  assert.deepEqual(endsIn(temporary.path), ends);
});

Deno.test("write() does not wait for the sync, which is one for all ends that nobody has stored", () =>
  countingSyncs(async (syncs) => {
    await using temporary = await tempDir();
    const journal = openIn(temporary.path);
    await Promise.all(Array.from({ length: 100 }, (_, index) => journal.write(endOf(String(index)))));
    for (let index = 100; index < 110; index++) await journal.write(endOf(String(index)));
    assert.equal(syncs.count, 0);
    assert.equal(idsIn(temporary.path).length, 110);
    assert.ok(!journal.isWritten);
    await eventually(() => journal.isWritten, "the sync");
    assert.equal(syncs.count, 1);
    await journal.close();
    assert.equal(syncs.count, 1);
  }));

Deno.test("an end that is stored soon is never synced", () =>
  countingSyncs(async (syncs) => {
    await using temporary = await tempDir();
    const journal = openIn(temporary.path);
    for (let index = 0; index < 10; index++) {
      await journal.write(endOf(String(index)));
      journal.forget(String(index));
    }
    assert.ok(journal.isWritten);
    await journal.close();
    assert.equal(syncs.count, 0);
  }));

Deno.test("the journal syncs again after a time at which no end needed it", () =>
  countingSyncs(async (syncs) => {
    await using temporary = await tempDir();
    let written = Promise.withResolvers<void>();
    const onWritten = () => written.resolve();
    const journal = openIn(temporary.path, { onWritten });
    for (const count of [0, 1]) {
      await journal.write(endOf(`stored ${count}`));
      journal.forget(`stored ${count}`);
      await deadline(written.promise, "the time of the sync");
      assert.ok(journal.isWritten);
      assert.equal(syncs.count, count);
      written = Promise.withResolvers();
      await journal.write(endOf(`needed ${count}`));
      assert.ok(!journal.isWritten);
      await deadline(written.promise, "the sync");
      assert.equal(syncs.count, count + 1);
      written = Promise.withResolvers();
    }
    await deadline(journal.close(), "the close");
  }));

Deno.test("ends whose sync has failed are written again", () =>
  countingSyncs(async (syncs) => {
    await using temporary = await tempDir();
    const errors: unknown[] = [];
    const journal = openIn(temporary.path, { errors, retryMs: 20 });
    syncs.failure = new Error("a disk that fails");
    await journal.write(endOf("a"));
    await eventually(() => errors.length > 0, "the failure");
    assert.ok(!journal.isWritten);
    delete syncs.failure;
    await eventually(() => journal.isWritten, "a sync that succeeds");
    assert.equal((await Deno.readTextFile(journalPath(temporary.path))).split("\n").length, 3);
    assert.deepEqual(idsIn(temporary.path), ["a"]);
    await journal.close();
  }));

Deno.test("the journal stays small while ends are forgotten, and keeps each end that is not", async () => {
  await using temporary = await tempDir();
  const journal = openIn(temporary.path);
  const text = "x".repeat(20_000);
  await journal.write(endOf("kept", text));
  let largest = 0;
  for (let round = 0; round < 300; round++) {
    const ids = [`${round} a`, `${round} b`];
    await Promise.all(ids.map((id) => journal.write(endOf(id, text))));
    for (const id of ids) journal.forget(id);
    largest = Math.max(largest, Deno.statSync(journalPath(temporary.path)).size);
    if (round % 50 === 0) assert.ok(idsIn(temporary.path).includes("kept"));
  }
  assert.ok(largest < 1_200_000, `${largest} bytes`);
  await journal.write(endOf("last", text));
  await journal.close();
  const ids = idsIn(temporary.path);
  assert.ok(ids.includes("kept") && ids.includes("last") && ids.length < 100);
  assert.deepEqual([...Deno.readDirSync(temporary.path)].map(({ name }) => name), ["ends.journal"]);
});

Deno.test("write() resolves when the disk refuses an end, and writes it later", async () => {
  await using temporary = await tempDir();
  const [directory, file, next] = ["later", "file", "next"].map((name) => join(temporary.path, name)) as [
    string,
    string,
    string,
  ];
  await Deno.writeTextFile(file, "");
  await Deno.symlink(file, directory);
  const errors: unknown[] = [];
  const written = Promise.withResolvers<void>();
  const journal = new EndJournal({
    path: journalPath(directory),
    retryMs: 20,
    onWritten: () => written.resolve(),
    onError: (error) => void errors.push(error),
  });
  await deadline(journal.write(endOf("a")), "the first answer");
  await deadline(journal.write(endOf("b")), "the second answer");
  await deadline(journal.write(endOf("forgotten")), "the third answer");
  journal.forget("forgotten");
  assert.ok(errors.length > 0 && !journal.isWritten);
  await Deno.mkdir(`${next}-directory`);
  await Deno.symlink(`${next}-directory`, next);
  await Deno.rename(next, directory);
  await deadline(written.promise, "the end of the retries");
  assert.ok(journal.isWritten);
  assert.deepEqual(idsIn(directory), ["a", "b"]);
  await journal.close();
});

Deno.test("isWritten is true when the directory is gone, and close() writes the ends to one that is back", async () => {
  await using temporary = await tempDir();
  const directory = join(temporary.path, "gone");
  const errors: unknown[] = [];
  let isNoted = false;
  const journal = openIn(directory, { errors, retryMs: 600_000, onWritten: () => void (isNoted = true) });
  await deadline(journal.write(endOf("a")), "the answer");
  assert.deepEqual([errors.length, journal.isWritten, isNoted], [1, true, true]);
  await Deno.mkdir(directory);
  await journal.close();
  assert.deepEqual(idsIn(directory), ["a"]);
});

Deno.test(needingDisk("a full disk leaves no torn line before the ends that are written later"), async () => {
  await onDisk(1, async (directory) => {
    const errors: unknown[] = [];
    const journal = openIn(directory, { errors, retryMs: 20 });
    await journal.write(endOf("first"));
    const fill = join(directory, "fill");
    await new Deno.Command("sh", { args: ["-c", `cat /dev/zero > ${fill}`], stderr: "null" }).output();
    await journal.write(endOf("torn", "x".repeat(300_000)));
    await journal.write(endOf("next"));
    assert.ok(errors.length > 0);
    assert.deepEqual(idsIn(directory), ["first"]);
    await Deno.remove(fill);
    await eventually(() => journal.isWritten, "all ends on the disk");
    assert.deepEqual(idsIn(directory), ["first", "torn", "next"]);
    await journal.close();
  });
});
