/** Tests of the end, the pause and the usage of all processes of a job, with and without a cgroup. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CgroupTree } from "../../../worker/cgroup/tree.ts";
import { JobNotRunningError } from "../../../worker/errors.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import type { ExitReport, ProcessStatus } from "../../../worker/process/state.ts";
import { cgroupTest, fakeBase } from "../../support/cgroups.ts";
import { Sink } from "../../support/sink.ts";
import { HEADLESS } from "./runaways.ts";

type Sh = (script: string, options?: ProcessOptions) => { process: Process; output: Sink };

function sh(script: string, options: ProcessOptions = {}): ReturnType<Sh> {
  const output = new Sink();
  return { process: new Process("sh", ["-c", script], { output, ...options }), output };
}

/** Adds a test twice: for jobs without a cgroup, and for jobs in cgroups, if the host allows them. */
function bothTest(name: string, run: (sh: Sh, cgroups?: CgroupTree) => Promise<void>): void {
  Deno.test(`${name}, without a cgroup`, () => run(sh));
  cgroupTest(`${name}, in a cgroup`, async (cgroups) => {
    let count = 0;
    const made = (script: string, options: ProcessOptions = {}) =>
      sh(script, { cgroup: () => cgroups.create(`job-${++count}`, {}, "/"), ...options });
    await run(made, cgroups);
  });
}

function exitReportOf(status: ProcessStatus): ExitReport {
  assert.ok(status.state === "EXITED" || status.state === "KILLED", status.state);
  assert.ok(status.exitReport !== undefined);
  return status.exitReport;
}

function runs(pid: number): boolean {
  return readEntry(pid)?.zombie === false;
}

const BURN = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";

cgroupTest("Process.start() runs the first instruction of a program in its cgroup", async (cgroups) => {
  const output = new Sink();
  const process = new Process("cat", ["/proc/self/cgroup"], { output, cgroup: () => cgroups.create("job", {}, "/") });
  await process.start();
  assert.match(output.text.stdout, /^0::\/.*\/job$/m);
  assert.throws(() => Deno.statSync(cgroups.directoryOf("job")), Deno.errors.NotFound);
});

cgroupTest(
  "Process.stop() ends a process in the cgroup that cleared its mark and left group, session and parent",
  async (cgroups) => {
    const { process, output } = sh("(setsid env -i sh -c 'echo $$; exec sleep 1000' &); exec sleep 1000", {
      cgroup: () => cgroups.create("job", {}, "/"),
    });
    const final = process.start();
    const [pid] = (await output.lines(1)).map(Number);
    await process.stop();
    const report = exitReportOf(await final);
    assert.ok(pid !== undefined && !runs(pid));
    assert.equal(report.survivorsEnded, 1);
  },
);

cgroupTest(
  "Process.start() ends survivors that root moved out of the cgroup",
  async (cgroups) => {
    const elsewhere = cgroups.create("elsewhere", {}, "/");
    const gate = await Deno.makeTempFile({ prefix: "teleport-test-" });
    // One process is in the leader's group. It starts the other one, which has its own session.
    const script = `sh -c 'echo 0 > ${elsewhere.directory}/cgroup.procs
      (setsid sh -c "echo \\$\\$; exec sleep 1000" &); echo $$; exec sleep 1000' &
    while [ -e ${gate} ]; do sleep 0.01; done`;
    const { process, output } = sh(script, { cgroup: () => cgroups.create("job", {}, "/") });
    const final = process.start();
    const pids = (await output.lines(2)).slice(0, 2).map(Number);
    assert.deepEqual(elsewhere.pids().sort(), [...pids].sort());
    await Deno.remove(gate);
    const report = exitReportOf(await final);
    assert.equal(report.survivorsEnded, 2);
    for (const pid of pids) assert.ok(!runs(pid), `${pid} ended`);
    assert.ok(elsewhere.remove());
  },
);

bothTest("ExitReport has no signals when a process ends by itself", async (sh) => {
  const { process } = sh("exit 3");
  const report = exitReportOf(await process.start());
  assert.deepEqual([report.survivorsEnded, report.termSentAt, report.killSentAt], [0, undefined, undefined]);
});

bothTest("ExitReport has the SIGTERM of a stop that the process obeys", async (sh) => {
  const { process, output } = sh("echo up; exec sleep 1000");
  const final = process.start();
  await output.lines(1);
  const before = new Date();
  await process.stop({ by: "ann" });
  const status = await final;
  const report = exitReportOf(status);
  assert.ok(status.state === "KILLED" && status.signal === "SIGTERM" && status.stoppedBy === "ann");
  assert.ok(report.termSentAt !== undefined && report.termSentAt >= before);
  assert.equal(report.killSentAt, undefined);
});

bothTest("ExitReport has the SIGKILL of a stop that the process ignores", async (sh) => {
  const { process, output } = sh(
    "trap '' TERM; sh -c 'echo up; exec sleep 1000' & (setsid sh -c 'echo up; exec sleep 1000' &); wait",
  );
  const final = process.start();
  await output.lines(2);
  await process.stop({ graceMs: 100 });
  const status = await final;
  const { termSentAt, killSentAt, survivorsEnded } = exitReportOf(status);
  assert.ok(status.state === "KILLED" && status.signal === "SIGKILL" && status.reason === "STOPPED");
  assert.ok(termSentAt !== undefined && killSentAt !== undefined);
  const tookMs = killSentAt.getTime() - termSentAt.getTime();
  assert.ok(tookMs >= 99 && tookMs < 5_000, `${tookMs}`);
  assert.equal(survivorsEnded, 2);
});

bothTest("ExitReport counts the survivors that were ended, stopped ones included", async (sh) => {
  const { process, output } = sh(`sh -c 'kill -STOP $$' & stopped=$!; sleep 1000 & echo $stopped; echo $!
    until grep -q '^State:.T' /proc/$stopped/status; do :; done`);
  const final = process.start();
  const pids = (await output.lines(2)).slice(0, 2).map(Number);
  const report = exitReportOf(await final);
  assert.equal(report.survivorsEnded, 2);
  for (const pid of pids) assert.ok(!runs(pid));
  assert.equal(report.termSentAt, undefined, "The leader got no SIGTERM");
});

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
  for (const end = performance.now() + 10_000; used().some((ticks, index) => ticks <= (before[index] ?? 0));) {
    assert.ok(performance.now() < end, "The process did not continue");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
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
  const until = async (holds: () => boolean) => {
    for (const end = performance.now() + 10_000; !holds();) {
      assert.ok(performance.now() < end, stat());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await until(() => / Z /.test(stat()));
  const ticks = () => readEntry(pid)?.ticks.user ?? NaN;
  const usage = await process.usage();
  assert.ok(usage?.processes === 1 && (usage.memoryBytes ?? 0) > 1_000_000, JSON.stringify(usage));
  await process.pause();
  const before = ticks();
  await new Promise((resolve) => setTimeout(resolve, 60)); // A running process uses six ticks in this time.
  assert.equal(ticks(), before);
  await process.resume();
  await until(() => ticks() > before);
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
  const { process, output } = sh("trap 'echo bye; exit 9' TERM; echo up; while :; do :; done", { timeoutMs: 1_000 });
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

bothTest("ExitReport has the usage of a process and its children, and the source", async (sh, cgroups) => {
  const { process } = sh(`(${BURN}); true`);
  const { usage } = exitReportOf(await process.start());
  assert.equal(usage.cpuSource, cgroups === undefined ? "RUSAGE" : "CGROUP");
  assert.ok(usage.cpuUserUs !== undefined && usage.cpuUserUs >= 20_000 && usage.cpuUserUs < 60_000_000);
  assert.ok(usage.cpuSystemUs !== undefined);
});

Deno.test("ExitReport has no usage of other processes that ended at the same time, without a cgroup", async () => {
  const burning = Array.from({ length: 12 }, () => sh(BURN).process);
  const idle = Array.from({ length: 12 }, () => sh("read x").process);
  const reports = await Promise.all([...burning, ...idle].map(async (process) => exitReportOf(await process.start())));
  for (const [index, { usage }] of reports.entries()) {
    if (usage.cpuSource === undefined) continue; // The usage is unknown.
    assert.equal(usage.cpuSource, "RUSAGE");
    const ticks = ((usage.cpuUserUs ?? NaN) + (usage.cpuSystemUs ?? NaN)) / 10_000;
    assert.ok(index < 12 ? ticks >= 2 : ticks <= 3, `${index < 12 ? "burning" : "idle"}: ${ticks} ticks`);
  }
});

Deno.test("Process.start() returns OUT_OF_MEMORY when a process was killed and its cgroup counts an OOM kill", async () => {
  const base = await fakeBase();
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  const cases = [
    { signal: "KILL", count: 1, reason: "OUT_OF_MEMORY" },
    { signal: "KILL", count: 0, reason: "SIGNALED" },
    { signal: "TERM", count: 1, reason: "SIGNALED" },
  ];
  for (const [index, { signal, count, reason }] of cases.entries()) {
    const events = join(cgroups.directoryOf(`${index}`), "memory.events");
    const { process, output } = sh(`echo up; while [ ! -e ${events} ]; do sleep 0.01; done; kill -${signal} $$`, {
      cgroup: () => cgroups.create(`${index}`, { maxMemoryBytes: 10_000_000 }, "/"),
    });
    const final = process.start();
    await output.lines(1);
    await Deno.writeTextFile(events, `low 0\nhigh 0\nmax 3\noom ${count}\noom_kill ${count}\noom_group_kill 0\n`);
    const status = await final;
    assert.ok(status.state === "KILLED");
    assert.equal(status.reason, reason);
    assert.equal(exitReportOf(status).usage.oomKills, count);
  }
  await Deno.remove(base, { recursive: true });
});

Deno.test("Process.start() returns SIGNALED for a user's SIGKILL after an OOM kill", async () => {
  const base = await fakeBase();
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  const { process, output } = sh("echo up; exec sleep 1000", { cgroup: () => cgroups.create("one", {}, "/") });
  const final = process.start();
  await output.lines(1);
  await Deno.writeTextFile(join(cgroups.directoryOf("one"), "memory.events"), "oom_kill 1\n");
  await process.signal("SIGKILL", "ann");
  const status = await final;
  assert.ok(status.state === "KILLED" && status.reason === "SIGNALED" && status.stoppedBy === "ann");
  await Deno.remove(base, { recursive: true });
});

Deno.test("Process.start() fails when the cgroup cannot be created or limited", async () => {
  const base = await fakeBase("pids");
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  await Deno.mkdir(cgroups.directoryOf("taken"));
  const cases = [
    {
      make: () => cgroups.create("taken", {}, "/"),
      error: /^Command "sh" could not be started: its cgroup .* \(EEXIST\)$/,
    },
    { make: () => cgroups.create("one", { maxCpus: 1 }, "/"), error: /^Cannot limit cores on this server: / },
  ];
  for (const { make, error } of cases) {
    const status = await sh("true", { cgroup: make }).process.start();
    assert.ok(status.state === "FAILED" && status.errorCode === "SPAWN_FAILED");
    assert.match(status.error, error);
  }
  await Deno.remove(base, { recursive: true });
});
