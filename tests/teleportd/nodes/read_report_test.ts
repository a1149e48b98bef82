/** Tests of reading what node hosts have written, from a file system that hangs. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Reports } from "../../../teleportd/nodes/read_report.ts";
import { FakeTime } from "../../support/fake_time.ts";

Deno.test("Reports gives up a file that cannot be read in time, and keeps few threads", async () => {
  using time = new FakeTime();
  const hung = Promise.withResolvers<string>();
  let asked = 0;
  const reports = new Reports(() => {
    asked++;
    return hung.promise;
  });
  const texts = Promise.all(Array.from({ length: 10 }, (_, at) => reports.read(`/nfs/${at}`)));
  await setImmediate();
  time.pass(5_000);
  assert.deepEqual(await texts, Array(10).fill(""));
  assert.equal(asked, 4);
  const last = reports.read("/nfs/last");
  hung.resolve("text");
  assert.equal(await last, "text");
  assert.equal(asked, 5, "the files that were given up before their turn are not read");
  assert.equal(time.timers, 0);
});

Deno.test("Reports reads no more files than it has room for, until the file system answers", async () => {
  using time = new FakeTime();
  const hung = Promise.withResolvers<string>();
  const reports = new Reports(() => hung.promise);
  const texts = Promise.all(Array.from({ length: 1_000 }, (_, at) => reports.read(`/nfs/${at}`)));
  assert.equal(await reports.read("/nfs/more"), "");
  await setImmediate();
  time.pass(5_000);
  assert.ok((await texts).every((text) => text === ""));
  hung.resolve("text");
  await setImmediate();
  assert.equal(await reports.read("/nfs/last"), "text");
  assert.equal(time.timers, 0);
});
