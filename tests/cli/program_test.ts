/** Tests of cli/program.ts: the program has the commands that its arguments need. */
import assert from "node:assert/strict";
import { createProgram } from "../../cli/program.ts";

const never = () => Promise.reject(new Error("This test runs no command"));

async function namesFor(...args: string[]): Promise<string[]> {
  const runner = { call: never, local: never, setup: never };
  const program = await createProgram(runner, { stdout() {}, stderr() {} }, args);
  return program.commands.map((command) => command.name());
}

Deno.test("createProgram() makes only the command that the first argument names", async () => {
  assert.deepEqual(await namesFor("run", "stop"), ["run"]);
  assert.deepEqual(await namesFor("ls"), ["list"]);
});

Deno.test("createProgram() makes all commands for other arguments, and for a command that needs them", async () => {
  for (const args of [[], ["rum"], ["--address", "a:1", "run"], ["help", "run"], ["__complete", "run"]]) {
    const names = await namesFor(...args);
    assert(names.includes("run") && names.includes("stop"), args.join(" "));
  }
});
