/** Tests of pause, resume and usage, with and without a cgroup. */
import assert from "node:assert/strict";
import { eventually } from "../../support/deadline.ts";
import { JobNotRunningError } from "../../../worker/errors.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { HEADLESS } from "../../support/runaways.ts";
import { bothTest, BURN, exitReportOf } from "./both_ways.ts";

bothTest("pause() pauses all processes until resume(), and both can be called twice", async (sh) => {
  const { process, output } = sh(
    `(setsid sh -c 'echo $$; while :; do :; done' &); echo $$; while :; do :; done`,
  );
  const final = process.start();
  const pids = (await output.lines(2)).slice(0, 2).map(Number);
  await process.pause();
  await process.pause();
  assert.ok(process.isPaused);
  const used = () => pids.map((pid) => readEntry(pid)?.ticks.user ?? NaN);
  const before = used();
  await new Promise((resolve) => setTimeout(resolve, 60)); // A running process uses six ticks in this time.
  assert.deepEqual(used(), before);
  assert.equal(process.status.state, "RUNNING");
  await process.resume();
  await process.resume();
  assert.ok(!process.isPaused);
  await eventually(() => used().every((ticks, index) => ticks > (before[index] ?? 0)), "the processes to continue");
  await process.stop();
  await final;
});

/** The program HEADLESS with a thread that uses processor time. */
const HEADLESS_BURNER = `
  const worker = new Worker("data:application/javascript,postMessage(0); for (;;);", { type: "module" });
  await new Promise((resolve) => worker.onmessage = resolve);
  ${HEADLESS}
`;

bothTest("pause(), resume(), usage() and stop() work for a process whose first thread has ended", async (sh) => {
  const { process, output } = sh('exec "$DENO" eval "$PROGRAM"', {
    env: { DENO: Deno.execPath(), PROGRAM: HEADLESS_BURNER, DENO_NO_UPDATE_CHECK: "1" },
  });
  const final = process.start();
  const [pid = 0] = (await output.lines(1)).map(Number);
  const stat = () => Deno.readTextFileSync(`/proc/${pid}/stat`);
  await eventually(() => / Z /.test(stat()), "the end of the first thread");
  const ticks = () => readEntry(pid)?.ticks.user ?? NaN;
  const usage = await process.usage();
  assert.ok(usage?.processes === 1 && (usage.memoryBytes ?? 0) > 1_000_000, JSON.stringify(usage));
  await process.pause();
  const before = ticks();
  await new Promise((resolve) => setTimeout(resolve, 60)); // A running process uses six ticks in this time.
  assert.equal(ticks(), before);
  await process.resume();
  await eventually(() => ticks() > before, "the process to continue");
  await process.stop();
  const status = await final;
  assert.ok(status.state === "KILLED" && status.signal === "SIGTERM", JSON.stringify(status));
});

bothTest("resume() wins over a pause() in progress", async (sh) => {
  const { process, output } = sh("echo up; while :; do echo more; done");
  const final = process.start();
  await output.lines(1);
  const paused = process.pause();
  await process.resume();
  await paused;
  assert.ok(!process.isPaused);
  const { length } = output.text.stdout.split("\n");
  await output.lines(length + 1);
  await process.stop();
  await final;
});

bothTest("stop() lets a paused process handle SIGTERM", async (sh) => {
  const { process, output } = sh("trap 'echo bye; exit 9' TERM; echo up; while :; do :; done");
  const final = process.start();
  await output.lines(1);
  await process.pause();
  await process.stop({ graceMs: 60_000 });
  const status = await final;
  assert.ok(status.state === "EXITED" && status.exitCode === 9 && status.reason === "STOPPED");
  assert.equal(output.text.stdout, "up\nbye\n");
  assert.ok(!process.isPaused);
});

bothTest("signal() is delivered after the pause, and SIGCONT ends a pause by SIGSTOP", async (sh, cgroups) => {
  const { process, output } = sh(
    "trap 'echo hup' HUP; (setsid sh -c 'echo $$; while :; do :; done' &); while :; do :; done",
  );
  const final = process.start();
  const [other] = (await output.lines(1)).map(Number);
  await process.pause();
  await process.signal("HUP");
  assert.equal(process.isPaused, true);
  await process.signal("CONT");
  assert.equal(process.isPaused, cgroups !== undefined, "SIGCONT does not thaw a cgroup");
  if (process.isPaused) await process.resume();
  await output.lines(2);
  assert.match(output.text.stdout, /\nhup\n$/);
  assert.equal(readEntry(other ?? 0)?.stopped, false);
  await process.stop();
  await final;
});

bothTest("Process stops itself at its time limit while it is paused", async (sh) => {
  const { process, output } = sh("trap 'echo bye; exit 9' TERM; echo up; while :; do :; done", { timeoutMs: 4_000 });
  const final = process.start();
  await output.lines(1);
  await process.pause();
  const status = await final;
  assert.ok(status.state === "EXITED" && status.exitCode === 9 && status.reason === "TIMED_OUT");
  assert.equal(output.text.stdout, "up\nbye\n");
});

bothTest("signal() with SIGKILL ends a paused process", async (sh) => {
  const { process, output } = sh("(setsid sh -c 'echo up; exec sleep 1000' &); while :; do :; done");
  const final = process.start();
  await output.lines(1);
  await process.pause();
  await process.signal("KILL", "ann");
  const status = await final;
  assert.ok(status.state === "KILLED" && status.reason === "SIGNALED" && status.stoppedBy === "ann");
  assert.equal(exitReportOf(status).survivorsEnded, 1);
});

bothTest("pause() and resume() throw for a process that is not running, and pause() during a stop", async (sh) => {
  const { process, output } = sh("trap '' TERM; echo up; while :; do sleep 0.01; done");
  const refused = async (call: Promise<unknown>, message: RegExp) => {
    await assert.rejects(call, (error) => error instanceof JobNotRunningError && message.test(error.message));
  };
  await refused(process.pause(), /in state "INITIAL", not running: only a running job can be paused$/);
  await refused(process.resume(), /in state "INITIAL", not running: only a running job can be resumed$/);
  const final = process.start();
  await output.lines(1);
  const stopped = process.stop({ graceMs: 300 });
  await refused(process.pause(), /in state "STOPPING"/);
  await process.resume();
  await stopped;
  await final;
  await refused(process.pause(), /in state "KILLED"/);
  await refused(process.resume(), /in state "KILLED"/);
});

bothTest("usage() returns what a process uses now, and undefined if it is not running", async (sh, cgroups) => {
  const { process, output } = sh(`${BURN}; sleep 1000 & echo up; wait`);
  assert.equal(await process.usage(), undefined);
  const final = process.start();
  await output.lines(1);
  const usage = await process.usage();
  assert.ok(usage?.cpuUserUs !== undefined && usage.cpuUserUs >= 20_000, JSON.stringify(usage));
  assert.equal(usage.cpuSource, cgroups === undefined ? "PROC" : "CGROUP");
  assert.equal(usage.processes, 2);
  assert.ok(usage.memoryBytes !== undefined && usage.memoryBytes > 100_000);
  assert.ok(usage.peakMemoryBytes !== undefined && usage.peakMemoryBytes >= usage.memoryBytes);
  assert.equal(usage.memorySource, cgroups?.controllers.has("memory") ? "CGROUP" : "PROC");
  await process.stop();
  const { usage: whole } = exitReportOf(await final);
  assert.ok(
    (whole.cpuUserUs ?? 0) >= usage.cpuUserUs - 10_000,
    "The total is at least what was seen, except for rounding",
  );
  assert.ok((whole.peakMemoryBytes ?? 0) >= usage.peakMemoryBytes);
  assert.deepEqual([whole.memoryBytes, whole.processes], [undefined, undefined], "The report has no figures of now");
  assert.equal(await process.usage(), undefined);
});
