/** Tests for pausing, measuring and limiting jobs, and for their exit reports. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  CgroupTree,
  InvalidArgumentError,
  JobNotFoundError,
  JobNotRunningError,
  NotEnforceableError,
  Supervisor,
  type SupervisorOptions,
} from "../../../mod.ts";
import { cgroupTest, fakeBase } from "../../support/cgroups.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { finalStatus } from "../../support/final_status.ts";
import { eachForm, type SupervisorClass } from "./job_host_fixture.ts";
import { startUp } from "./supervisor_fixture.ts";

const MISSING = "01890000-0000-7000-8000-000000000000";

function startScript(supervisor: Supervisor, script: string): Promise<string> {
  return startUp(supervisor, ["-c", script], { owner: "ann" });
}

/** Adds the test in three forms: without cgroups, with job hosts, and with cgroups where the machine has them. */
function eachTest(name: string, run: (options: SupervisorOptions, supervisor: SupervisorClass) => Promise<void>): void {
  eachForm(`${name}, without cgroups`, (Supervisor) => run({}, Supervisor));
  cgroupTest(`${name}, with cgroups`, (cgroups) => run({ cgroups }, Supervisor));
}

eachTest(
  "pause() stores who paused the job, and neither pause() nor resume() changes the state",
  async (options, Supervisor) => {
    await using supervisor = new Supervisor(options);
    const id = await startScript(supervisor, "echo up; while :; do :; done");
    const paused = await supervisor.pause(id, { by: "ann" });
    assert.deepEqual([paused.state, paused.paused, paused.pausedBy], ["RUNNING", true, "ann"]);
    assert.equal((await supervisor.pause(id, { by: "bob" })).pausedBy, "ann", "The first user is stored");
    assert.deepEqual((await supervisor.list()).jobs[0]?.paused, true);
    const resumed = await supervisor.resume(id);
    assert.deepEqual([resumed.state, resumed.paused, resumed.pausedBy], ["RUNNING", undefined, undefined]);
    await supervisor.resume(id);
    await supervisor.pause(id);
    const stopped = await supervisor.stop(id, { graceMs: 60_000 });
    assert.deepEqual([stopped.state, stopped.signal, stopped.paused], ["KILLED", "SIGTERM", undefined]);
  },
);

eachTest("pause() and resume() refuse a job that does not exist or does not run", async (options, Supervisor) => {
  await using supervisor = new Supervisor(options);
  await assert.rejects(supervisor.pause(MISSING), JobNotFoundError);
  await assert.rejects(supervisor.resume(MISSING), JobNotFoundError);
  const id = await supervisor.add("true");
  const refused = (call: Promise<unknown>, sentence: string) =>
    assert.rejects(call, (error) => error instanceof JobNotRunningError && error.message === sentence);
  await refused(
    supervisor.pause(id),
    `Job "${id}" is in state "INITIAL", not running: only a running job can be paused`,
  );
  const statuses = supervisor.watchStatus(id);
  await supervisor.start(id);
  for await (const _ of statuses);
  await refused(
    supervisor.resume(id),
    `Job "${id}" is in state "EXITED", not running: only a running job can be resumed`,
  );
});

eachTest("close() ends paused jobs", async (options, Supervisor) => {
  const supervisor = new Supervisor(options);
  const id = await startScript(supervisor, "echo up; while :; do :; done");
  await supervisor.pause(id);
  const final = finalStatus(supervisor, id);
  await supervisor.close();
  const { state, reason, signal } = await final;
  assert.deepEqual([state, reason, signal], ["KILLED", "SHUTDOWN", "SIGTERM"]);
});

eachTest("status() measures a running job only with the option usage", async (options, Supervisor) => {
  await using supervisor = new Supervisor(options);
  const id = await startScript(
    supervisor,
    "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; echo up; exec sleep 1000",
  );
  assert.equal((await supervisor.status(id)).usage, undefined);
  const { usage, exitReport } = await supervisor.status(id, { usage: true });
  assert.ok((usage?.cpuUserUs ?? 0) >= 10_000 && usage?.processes === 1, JSON.stringify(usage));
  assert.equal(exitReport, undefined);
  await supervisor.stop(id);
  const ended = await supervisor.status(id, { usage: true });
  assert.equal(ended.usage, undefined, "An ended job uses nothing");
  assert.ok((ended.exitReport?.usage.cpuUserUs ?? 0) > 0);
  const waiting = await supervisor.add("true");
  assert.equal((await supervisor.status(waiting, { usage: true })).usage, undefined);
  await assert.rejects(supervisor.status(MISSING, { usage: true }), JobNotFoundError);
});

eachTest("the exit report of a job survives a restart", async (options, Supervisor) => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  let id: string;
  let before;
  {
    await using supervisor = new Supervisor({ ...options, directory });
    id = await startScript(supervisor, "trap '' TERM; echo up; while :; do :; done");
    before = await supervisor.stop(id, { graceMs: 50, by: "ann" });
  }
  assert.ok(before.exitReport?.killSentAt instanceof Date && before.exitReport.termSentAt instanceof Date);
  await using supervisor = new Supervisor({ ...options, directory });
  assert.deepEqual(await supervisor.status(id), before);
  await supervisor.close();
});

Deno.test("add() refuses limits that this host cannot enforce, and names the reason", async () => {
  await using without = new Supervisor();
  await assert.rejects(
    without.add("true", [], { cgroupLimits: { maxMemoryBytes: 2 ** 30, maxCpus: 1 } }),
    (error) =>
      error instanceof NotEnforceableError && error.code === "NOT_ENFORCEABLE" &&
      error.message === "Cannot limit cores and memory on this server: it has no cgroups",
  );
  await assert.rejects(without.add("true", [], { cgroupLimits: { maxMemoryBytes: 1 } }), InvalidArgumentError);
  const id = await without.add("true", [], { cgroupLimits: {} });
  assert.equal((await without.status(id)).state, "INITIAL");
  const base = await fakeBase("memory");
  await using some = new Supervisor({ cgroups: CgroupTree.open({ base, name: "jobs" }) });
  await assert.rejects(
    some.add("true", [], { cgroupLimits: { maxMemoryBytes: 2 ** 30, maxProcesses: 5 } }),
    /Cannot limit the number of processes on this server: its cgroup has no controller "pids"/,
  );
  assert.equal((await some.list()).jobs.length, 0);
  await some.close();
  await Deno.remove(base, { recursive: true });
});

Deno.test("start() starts a job in a cgroup with its limits, and the status shows them", async () => {
  const base = await fakeBase();
  const cgroups = CgroupTree.open({ base, name: "jobs" });
  await using supervisor = new Supervisor({ cgroups });
  const cgroupLimits = { maxMemoryBytes: 50_000_000, maxCpus: 0.25, maxProcesses: 9 };
  const id = await supervisor.add("true", [], { cgroupLimits });
  const statuses = supervisor.watchStatus(id);
  await supervisor.start(id);
  let last;
  for await (const status of statuses) last = status;
  assert.deepEqual([last?.state, last?.exitCode, last?.cgroupLimits], ["EXITED", 0, cgroupLimits]);
  const read = (name: string) => Deno.readTextFileSync(join(cgroups.directoryOf(id), name)).trim();
  assert.deepEqual(["memory.max", "cpu.max", "pids.max", "cgroup.procs"].map(read), [
    "50000000",
    "25000 100000",
    "9",
    "0",
  ]);
  await supervisor.close();
  await Deno.remove(base, { recursive: true });
});

Deno.test("start() refuses a job whose limits can no longer be enforced", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const base = await fakeBase();
  let id: string;
  {
    await using supervisor = new Supervisor({ directory, cgroups: CgroupTree.open({ base, name: "jobs" }) });
    id = await supervisor.add("true", [], { cgroupLimits: { maxCpus: 1 } });
  }
  await using supervisor = new Supervisor({ directory });
  await assert.rejects(
    supervisor.start(id),
    /^NotEnforceableError: Cannot limit cores on this server: it has no cgroups$/,
  );
  assert.equal((await supervisor.status(id)).state, "INITIAL");
  await supervisor.close();
  await Deno.remove(base, { recursive: true });
});

cgroupTest("50 concurrent jobs leave no cgroup, and each has its resource usage", async (cgroups) => {
  await using supervisor = new Supervisor({ cgroups });
  const ids = await Promise.all(
    Array.from({ length: 50 }, (_, index) => supervisor.add("sh", ["-c", `exit ${index}`])),
  );
  const codes = await Promise.all(ids.map(async (id) => {
    const statuses = supervisor.watchStatus(id);
    await supervisor.start(id);
    let last;
    for await (const status of statuses) last = status;
    assert.equal(last?.exitReport?.usage.cpuSource, "CGROUP");
    return last?.exitCode;
  }));
  assert.deepEqual(codes, ids.map((_, index) => index));
});
