/** Tests of interactive shells on a pseudo terminal: job control, a stop, and the end of their jobs. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { deadline } from "../../support/deadline.ts";
import { runs } from "../process/both_ways.ts";
import { startShell } from "./on_terminal.ts";

Deno.test("a shell has job control: Ctrl-Z stops its foreground group, and fg continues it", async () => {
  const { type, ended, output } = await startShell();
  // A loop without a fork: dash uses vfork(2). A child that stops before its execve(2) keeps its parent in the kernel, so
  // the parent cannot stop.
  await type(`sh -c 'trap "echo back" CONT; echo inside; while :; do :; done'\n`);
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
  // The grace period is longer than the deadline.
  await deadline(process.stop({ graceMs: 3_600_000 }), "the stop of the shell");
  const status = await ended;
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
