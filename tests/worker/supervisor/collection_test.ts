/** Tests that the garbage collector takes no watcher that waits. */
import assert from "node:assert/strict";
import { deadline } from "../../support/deadline.ts";

Deno.test("a watch of a job that has not started survives a garbage collection", async () => {
  const program = new URL("./collection_program.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-A", "--v8-flags=--expose-gc", program],
    stderr: "inherit",
  });
  const { stdout } = await deadline(child.output(), "the end of the watches");
  assert.equal(new TextDecoder().decode(stdout), "1 4\n", "One chunk, and four states");
});
