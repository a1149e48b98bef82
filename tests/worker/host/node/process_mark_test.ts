/** Tests of the names of processes that tell whether they are gone. */
import assert from "node:assert/strict";
import { isMarkGone, processMark } from "../../../../worker/host/node/process_mark.ts";

Deno.test("isMarkGone() tells a process that lives from one that has ended", async () => {
  const child = new Deno.Command("sleep", { args: ["600"] }).spawn();
  const mark = processMark(child.pid);
  assert.equal(isMarkGone(mark), false);
  child.kill("SIGKILL");
  await child.status;
  assert.equal(isMarkGone(mark), true);
});

Deno.test("isMarkGone() does not take another process for one that is gone", () => {
  const mark = JSON.parse(processMark(Deno.pid));
  const isGone = (facts: Record<string, unknown>) => isMarkGone(JSON.stringify({ ...mark, ...facts }));
  assert.equal(isGone({}), false);
  assert.equal(isGone({ startTime: mark.startTime - 1 }), true, "its pid was given again");
  assert.equal(isGone({ boot: "another" }), true, "the machine was started again");
  assert.equal(isGone({ host: "another", boot: "another" }), false, "another machine");
  assert.equal(isGone({ namespace: "another", startTime: 1 }), false, "a container");
});

Deno.test("isMarkGone() does not believe a mark that is not complete", () => {
  for (const text of ["", "{", "null", "1", "{}"]) assert.equal(isMarkGone(text), false, text);
});
