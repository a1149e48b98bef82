/** Tests of a process that setsid(1) has not given a session yet: it is still in the group of this process. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { Process } from "../../../worker/process/process.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { openSessions } from "../../support/sessions.ts";
import { Sink } from "../../support/sink.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** A process that is stopped before it has a session. */
interface Held extends AsyncDisposable {
  readonly process: Process;
  readonly pid: number;
  readonly output: Sink;
  readonly final: Promise<ProcessStatus>;
}

/** Starts `echo begun; sleep`, and stops it before it has a session. It tries again when the process was faster. */
async function hold(): Promise<Held> {
  const temp = await tempDir();
  const sessions = await openSessions(temp.path);
  for (let attempt = 1; attempt <= 1_000; attempt++) {
    const output = new Sink();
    const process = new Process("sh", ["-c", "echo begun; exec sleep 1000"], { sessions, output, graceMs: 60_000 });
    const final = process.start();
    assert.ok(process.status.state === "RUNNING");
    const { pid } = process.status;
    Deno.kill(pid, "SIGSTOP");
    if (readEntry(pid)?.pgrp !== pid) {
      const dispose = async () => {
        await process.stop({ graceMs: 0 });
        await temp[Symbol.asyncDispose]();
      };
      return { process, pid, output, final, [Symbol.asyncDispose]: dispose };
    }
    await process.stop({ graceMs: 0 });
  }
  throw new Error("A process has its session before it can be stopped");
}

Deno.test("Process.stop() ends a process that has no session yet, within its grace period", async () => {
  await using held = await hold();
  const status = await held.process.stop();
  assert.ok(status.state === "KILLED" && status.signal === "SIGTERM", JSON.stringify(status));
  assert.equal(status.exitReport?.killSentAt, undefined);
  assert.equal(held.output.text.stdout, "");
});

Deno.test("Process.signal() reaches a process that has no session yet", async () => {
  await using held = await hold();
  await held.process.signal("USR1", "ann");
  Deno.kill(held.pid, "SIGCONT");
  const status = await held.final;
  assert.ok(status.state === "KILLED" && status.signal === "SIGUSR1");
  assert.equal(status.stoppedBy, "ann");
});

Deno.test("Process.pause() and resume() handle a process that has no session yet", async () => {
  await using held = await hold();
  Deno.kill(held.pid, "SIGCONT");
  await held.process.pause();
  assert.equal(readEntry(held.pid)?.stopped, true);
  await held.process.resume();
  await held.output.has("begun");
  const entry = readEntry(held.pid);
  assert.deepEqual([entry?.pgrp, entry?.session], [held.pid, held.pid]);
});

Deno.test("a kill after the grace period ends a process that has no session yet, and no other", async () => {
  await using held = await hold();
  // A process in the same group and session, as this one.
  const other = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  Deno.kill(held.pid, "SIGSTOP");
  const status = await held.process.stop({ graceMs: 0 });
  assert.equal(status.state, "KILLED");
  assert.equal(readEntry(other.pid)?.zombie, false);
  other.kill();
  await other.status;
});

Deno.test("a process that is stopped or signalled at once ends at once", async () => {
  await using temp = await tempDir();
  const sessions = await openSessions(temp.path);
  const ends = Array.from({ length: 40 }, async (_, index) => {
    const options = { sessions, ...(index % 4 === 0 ? { umask: 0o22 } : {}) };
    const process = new Process("sleep", ["1000"], options);
    const final = process.start();
    if (index % 2 === 0) await process.stop({ graceMs: 60_000 });
    else await process.signal("TERM");
    const status = await final;
    assert.ok(status.state === "KILLED" && status.signal === "SIGTERM", JSON.stringify(status));
  });
  await Promise.all(ends);
});
