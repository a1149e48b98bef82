/** Tests the copy of a log that another machine writes. */
import assert from "node:assert/strict";
import { LogReplica } from "../../../worker/output/log_replica.ts";
import { OutputBudget } from "../../../worker/output/limit.ts";
import { OutputLog } from "../../../worker/output/log.ts";
import { recoverLog } from "../../../worker/output/restore.ts";
import { tempDir } from "../../support/temp_dir.ts";

const ID = "01900000-0000-7000-8000-000000000001";
const FILE = "0000000000000000.log";

/** Makes a log with some frames, and returns the bytes of its file and its end. */
async function original(directory: string) {
  const log = new OutputLog(ID, { directory });
  for (const text of ["one\n", "two\n", "three\n"]) {
    await log.append(text === "two\n" ? "stderr" : "stdout", new TextEncoder().encode(text));
    await log.flushed();
  }
  await log.seal();
  return { bytes: await Deno.readFile(`${directory}/${FILE}`), end: log.end, totals: log.totals() };
}

Deno.test("append() copies a log byte by byte, and a later copy continues at the size of the file", async () => {
  await using dir = await tempDir();
  const { bytes, end, totals } = await original(`${dir.path}/log`);
  const options = { directory: `${dir.path}/copy`, budget: new OutputBudget(1_000) };
  const first = await LogReplica.open(options);
  assert.equal(first.place, undefined);
  assert.equal(await first.readable(ID), undefined);
  await first.append({ file: 0, offset: 0 }, bytes.subarray(0, 100));
  await first.append({ file: 0, offset: 100 }, bytes.subarray(100, 130));
  first.close();
  first.release();
  const second = await LogReplica.open(options);
  assert.deepEqual(second.place, { file: 0, offset: 130 });
  assert.equal(options.budget.usedBytes, 130);
  await assert.rejects(second.append({ file: 0, offset: 131 }, bytes.subarray(131)), /does not follow/);
  await second.append({ file: 0, offset: 130 }, bytes.subarray(130));
  second.close();
  assert.deepEqual(await Deno.readFile(`${options.directory}/${FILE}`), bytes);
  assert.deepEqual(await second.readable(ID), { start: { position: 0, offsets: { stdout: 0, stderr: 0 } }, end });
  const log = await recoverLog(ID, { directory: options.directory });
  assert.deepEqual(log.totals(), totals);
});

Deno.test("readable() ends at the last whole frame, after any number of bytes", async () => {
  await using dir = await tempDir();
  const { bytes } = await original(`${dir.path}/log`);
  const budget = new OutputBudget(Infinity);
  const ends = new Set<number>();
  for (let size = 65; size <= bytes.length; size++) {
    const directory = `${dir.path}/copy-${size}`;
    const replica = await LogReplica.open({ directory, budget });
    await replica.append({ file: 0, offset: 0 }, bytes.subarray(0, size));
    replica.close();
    const { end } = await replica.readable(ID) ?? assert.fail();
    assert.ok(64 + end.position <= size);
    ends.add(end.position);
    const recovered = await recoverLog(ID, { directory });
    assert.equal(recovered.end.position, end.position, `${size}`);
    assert.deepEqual(recovered.end.offsets, end.offsets);
  }
  assert.equal(ends.size, 4);
});

Deno.test("append() stores nothing when the disk space of all jobs is used up, and everything later", async () => {
  await using dir = await tempDir();
  const budget = new OutputBudget(100);
  const replica = await LogReplica.open({ directory: `${dir.path}/copy`, budget });
  await replica.append({ file: 0, offset: 0 }, new Uint8Array(90));
  await assert.rejects(replica.append({ file: 0, offset: 90 }, new Uint8Array(20)), { code: "LIMIT_REACHED" });
  assert.equal(budget.usedBytes, 90);
  assert.deepEqual(replica.place, { file: 0, offset: 90 });
  budget.release(50); // Another job is removed.
  await replica.append({ file: 0, offset: 90 }, new Uint8Array(20));
  replica.close();
  replica.release();
  assert.equal(budget.usedBytes, -50);
});

Deno.test("dropBefore() deletes the files before a position, and returns their space", async () => {
  await using dir = await tempDir();
  const budget = new OutputBudget(Infinity);
  const replica = await LogReplica.open({ directory: `${dir.path}/copy`, budget });
  for (const [file, size] of [[0, 100], [36, 80], [52, 70]] as const) {
    await replica.append({ file, offset: 0 }, new Uint8Array(size));
  }
  await replica.dropBefore(51);
  assert.deepEqual([...Deno.readDirSync(`${dir.path}/copy`)].map(({ name }) => Number.parseInt(name)).sort(), [36, 52]);
  assert.equal(budget.usedBytes, 150);
  await replica.dropBefore(60);
  assert.equal(budget.usedBytes, 70);
  replica.close();
});
