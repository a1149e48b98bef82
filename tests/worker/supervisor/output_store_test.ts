/** Tests for the output store: where output is, and how it is deleted. */
import assert from "node:assert/strict";
import type { JobSpec } from "../../../worker/job/spec.ts";
import { OutputStore } from "../../../worker/supervisor/output_store.ts";
import { tempDir } from "../../support/temp_dir.ts";

const spec = { id: "a" } as JobSpec;
const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

Deno.test("delete() deletes the output of a job and reports it", async () => {
  await using directory = await tempDir();
  const events: unknown[] = [];
  const onError = (error: unknown) => void events.push(error);
  const output = new OutputStore({ directory: directory.path, onDeleted: (id) => events.push(id), onError });
  await output.open();
  const { directory: log } = output.logOptions(spec);
  await Deno.mkdir(log);
  void output.delete("a");
  void output.delete("no output");
  await output.waitForDeletions();
  assert.deepEqual(events.sort(), ["a", "no output"]);
  assert.equal(await exists(log), false);
  await output.close();
  assert.ok(await exists(`${directory.path}/output`));
});

Deno.test("close() removes a temporary directory", async () => {
  const output = new OutputStore({ onDeleted: () => {}, onError: () => {} });
  await output.open();
  output.ensure();
  const { directory } = output.logOptions(spec);
  await Deno.mkdir(directory);
  await output.close();
  assert.equal(await exists(directory), false);
});
