/** Tests of the exit report and of survivors, with and without a cgroup. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CgroupTree } from "../../../worker/cgroup/tree.ts";
import { Process } from "../../../worker/process/process.ts";
import { cgroupTest, fakeBase } from "../../support/cgroups.ts";
import { Sink } from "../../support/sink.ts";
import { bothTest, BURN, exitReportOf, runs, sh } from "./both_ways.ts";

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
  assert.ok(tookMs >= 99 && tookMs < 9_500, `${tookMs}`);
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
