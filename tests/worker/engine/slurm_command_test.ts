/** Tests of the client commands of Slurm, with other programs in their place. */
import assert from "node:assert/strict";
import { EngineUnavailableError } from "../../../worker/engine/engine.ts";
import { SlurmCommands } from "../../../worker/engine/slurm/command.ts";
import { deadline } from "../../support/deadline.ts";

const env = { PATH: Deno.env.get("PATH") ?? "" };

for (const [what, script] of [["the command runs", "sleep 40 & wait"], ["it has ended", "sleep 40 &"]] as const) {
  Deno.test(`run() ends at the time limit when a child of the command keeps its output open and ${what}`, async () => {
    const commands = new SlurmCommands({ env, timeLimitMs: 200 });
    await assert.rejects(deadline(commands.run("sh", ["-c", script]), "the time limit", 30_000), (error) => {
      assert.ok(error instanceof EngineUnavailableError);
      assert.match(error.message, /sh did not end within 200 ms/);
      return true;
    });
  });
}

Deno.test("run() gives the exit code, the output and the messages of a command that does not read its input", async () => {
  const commands = new SlurmCommands({ env });
  const result = await commands.run("sh", ["-c", "echo out; echo one >&2; echo two >&2; exit 3"], "x".repeat(500_000));
  assert.deepEqual(result, { code: 3, stdout: "out\n", stderr: "one; two" });
});
