/** Tests of the signals and the stop of a process. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { InvalidArgumentError, InvalidSignalError, JobNotRunningError } from "../../../worker/errors.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { MARK_VARIABLE } from "../../../worker/process/mark.ts";
import { signalName } from "../../../base/signals.ts";
import { Sink } from "../../support/sink.ts";

function sh(script: string, options: ProcessOptions = {}): { process: Process; output: Sink; id: string } {
  const output = new Sink();
  const id = crypto.randomUUID();
  return { process: new Process("sh", ["-c", script], { id, output, ...options }), output, id };
}

/** Returns the pids of the living processes that carry the mark of a job. */
function living(id: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const environment = new TextDecoder().decode(Deno.readFileSync(`/proc/${name}/environ`));
      return environment.includes(`${MARK_VARIABLE}=${id}`);
    } catch {
      return false;
    }
  }).map(({ name }) => name);
}

async function endsBy(signal: string, name: string): Promise<void> {
  const { process, output } = sh("echo up; exec sleep 1000");
  const final = process.start();
  await output.has("up");
  await process.signal(signal, "ann");
  const status = await final;
  assert.ok(status.state === "KILLED" && status.signal === name && !("exitCode" in status));
  assert.equal(status.reason, "SIGNALED");
  assert.equal(status.stoppedBy, "ann");
}

Deno.test("Process.start() resolves with KILLED and no exit code when a signal ends the process", async () => {
  await endsBy("TERM", "SIGTERM");
  await endsBy("9", "SIGKILL");
});

// Deno 2.9 does not close its handle of a child that a real-time signal ended. A program cannot close it either.
Deno.test(
  "Process.start() resolves with KILLED when a real-time signal ends the process",
  { sanitizeResources: false },
  async () => {
    await endsBy("SIGRTMIN+3", "SIGRTMIN+3");
  },
);

Deno.test("Process.signal() reaches the whole group", async () => {
  const { process, output } = sh(
    // The parent sets its trap before the child exists, so "up" means that both have theirs.
    `trap "wait; echo parent; exit 3" USR1
    sh -c 'trap "echo child; exit" USR1; echo up; while :; do sleep 0.01; done' & wait`,
  );
  const final = process.start();
  await output.has("up");
  await process.signal("USR1");
  const status = await final;
  assert.ok(status.state === "EXITED" && status.exitCode === 3);
  assert.match(output.text.stdout, /child/);
});

Deno.test("Process.signal() throws for an unknown signal and for a process that is not running", async () => {
  const { process } = sh("exit 0");
  await assert.rejects(process.signal("TERM"), JobNotRunningError);
  await assert.rejects(process.signal("NOPE"), InvalidSignalError);
  await process.start();
  await assert.rejects(process.signal("TERM"), JobNotRunningError);
});

Deno.test("Process.stop() ends the whole group", async () => {
  const { process, output, id } = sh("sleep 1000 & sleep 1000 & echo up; wait");
  void process.start();
  await output.has("up");
  const status = await process.stop({ by: "ann" });
  assert.ok(status.state === "KILLED" && status.signal === "SIGTERM");
  assert.equal(status.reason, "STOPPED");
  assert.equal(status.stoppedBy, "ann");
  assert.deepEqual(living(id), []);
});

Deno.test("Process.stop() kills a process that ignores SIGTERM after the grace period", async () => {
  const { process, output, id } = sh("trap '' TERM; sleep 1000 & echo up; while :; do sleep 0.01; done");
  void process.start();
  await output.has("up");
  const begin = performance.now();
  const status = await process.stop({ graceMs: 200 });
  const tookMs = performance.now() - begin;
  assert.ok(status.state === "KILLED" && status.signal === "SIGKILL");
  assert.ok(tookMs >= 199 && tookMs < 9_500, `${tookMs}`);
  assert.deepEqual(living(id), []);
});

Deno.test("Process.stop() keeps the exit code of a process that handles SIGTERM", async () => {
  const { process, output } = sh("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done");
  void process.start();
  await output.has("up");
  const status = await process.stop();
  assert.ok(status.state === "EXITED" && status.exitCode === 5 && status.reason === "STOPPED");
  assert.match(output.text.stdout, /bye/);
});

Deno.test("Process.stop() joins an earlier stop and can only shorten its grace period", async () => {
  const { process, output } = sh("trap '' TERM; echo up; while :; do sleep 0.01; done");
  void process.start();
  await output.has("up");
  const first = process.stop({ graceMs: 60_000, by: "ann" });
  const later = process.stop({ graceMs: 3_600_000, by: "bob" });
  const second = process.stop({ graceMs: 0, by: "bob" });
  const status = await second;
  assert.equal(await first, status);
  assert.equal(await later, status);
  assert.ok("stoppedBy" in status && status.stoppedBy === "ann");
});

Deno.test("Process.stop() has no effect before the start and after the end", async () => {
  const { process } = sh("exit 4");
  assert.deepEqual(await process.stop(), { state: "INITIAL" });
  const status = await process.start();
  assert.equal(await process.stop(), status);
  await assert.rejects(process.stop({ graceMs: -1 }), InvalidArgumentError);
});

Deno.test("Process stops itself at its time limit, which remains the reason", async () => {
  const { process } = sh("exec sleep 1000", { timeoutMs: 50 });
  const status = await process.start();
  assert.ok(status.state === "KILLED" && status.reason === "TIMED_OUT");
  const patient = sh("trap '' TERM; sleep 1000 & wait; while :; do sleep 0.01; done", {
    timeoutMs: 50,
    graceMs: 60_000,
  });
  const final = patient.process.start();
  await new Promise<void>((resolve) => patient.process.subscribe(({ state }) => state === "STOPPING" && resolve()));
  await patient.process.stop({ graceMs: 0, by: "ann" });
  const late = await final;
  assert.ok("reason" in late && late.reason === "TIMED_OUT");
});

Deno.test("Process.stop() does not become the reason when the leader has already ended", async () => {
  const { process, output } = sh(
    "(trap '' TERM USR1; echo one; exec sleep 1000) & trap 'exit 5' USR1; echo two; while :; do sleep 0.01; done",
  );
  const final = process.start();
  await output.has("one");
  await output.has("two");
  await process.signal("USR1");
  // After its leader's exit a process accepts no signal. Its survivors are still being ended.
  await assert.rejects(async () => {
    while (true) {
      await process.signal("CONT");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }, JobNotRunningError);
  assert.ok(process.isRunningState);
  const status = await process.stop({ graceMs: 0, by: "ann" });
  assert.equal(status, await final);
  assert.ok(status.state === "EXITED" && status.exitCode === 5 && status.reason === "EXITED");
  assert.equal("stoppedBy" in status, false);
});

Deno.test("Process.stop() ends a process right after its start", async () => {
  const { process, id } = sh("sleep 1000 & exec sleep 1000");
  void process.start();
  const status = await process.stop();
  assert.ok(status.state === "KILLED" && status.reason === "STOPPED");
  assert.deepEqual(living(id), []);
});

Deno.test("Process.signal() sends each signal of Linux, whose name is in the status", async () => {
  const harmless = ["SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"];
  const names = Array.from({ length: 31 }, (_, index) => signalName(index + 1) ?? "");
  await Promise.all(names.map(async (name) => {
    const { process, output } = sh("ulimit -c 0; echo up; exec sleep 1000");
    const final = process.start();
    await output.has("up");
    await process.signal(name);
    if (harmless.includes(name)) await process.signal("KILL");
    const status = await final;
    assert.ok(status.state === "KILLED", name);
    assert.equal(status.signal, harmless.includes(name) ? "SIGKILL" : name);
  }));
});
