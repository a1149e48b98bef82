/** Tests of interactive shells on a pseudo terminal: job control, a stop, and the end of their jobs. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { runs } from "../process/both_ways.ts";
import { startShell } from "./on_terminal.ts";

Deno.test("a shell has job control: Ctrl-Z stops its foreground group, and fg continues it", async () => {
  const { type, ended, output } = await startShell();
  await type(`sh -c 'trap "echo back" CONT; echo inside; while :; do sleep 0.05; done'\n`);
  await output.has("inside\r\n");
  await type("\x1a");
  await output.has("Stopped");
  await type("fg\n");
  await output.has("back\r\n");
  await type("\x03");
  await type("exit 3\n");
  const status = await ended;
  assert.ok(status.state === "EXITED" && status.exitCode === 3, JSON.stringify(output.text));
});

Deno.test("a stop ends an interactive shell and its jobs without the grace period", async () => {
  const { process, type, ended, output } = await startShell();
  await type("sleep 1000 & sleep 1001 & echo $(jobs -p | wc -l) jobs\n");
  await output.has("2 jobs\r\n");
  const before = performance.now();
  await process.stop({ graceMs: 60_000 });
  const status = await ended;
  assert.ok(performance.now() - before < 10_000);
  assert.ok(status.state === "KILLED" && status.reason === "STOPPED", JSON.stringify(status));
});

Deno.test("background jobs of a shell end with it", async () => {
  const { type, ended, output } = await startShell();
  await type("nohup sleep 1000 >/dev/null 2>&1 & echo pid=$!.\n");
  await output.has("pid=");
  await type("exit\n");
  await ended;
  const pid = Number(/pid=([0-9]+)\./.exec(output.text.stdout)?.[1]);
  assert.ok(pid > 1);
  assert.ok(!runs(pid));
});
