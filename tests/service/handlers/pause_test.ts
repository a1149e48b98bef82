/** Pause and Resume, limits by cgroup, resource usage and the exit report on the wire. */
import assert from "node:assert/strict";
import { CgroupTree, Supervisor } from "../../../mod.ts";
import { createService } from "../../../service/handlers/service.ts";
import { fakeBase } from "../../support/cgroups.ts";
import { all, certificateOf, clientOf, codeOf, first, startService } from "../../support/service.ts";

const BUSY = { command: "sh", args: ["-c", "echo up; while :; do :; done"] };

Deno.test("Pause and Resume answer the status, and each is recorded", async () => {
  await using supervisor = new Supervisor({ closeGraceMs: 100 });
  const lines: unknown[] = [];
  const service = createService(supervisor, {
    audit: {
      record: ({ user, call, job, code }) => void lines.push([user, call, job, code]),
      ready: () => Promise.resolve(),
    },
  });
  const ann = clientOf(service, certificateOf("ann", "operator"));
  const root = clientOf(service, certificateOf("root", "admin"));
  const { id } = await ann.Register(BUSY);
  await first(ann.Start({ id }));
  await first(ann.GetOutput({ id }));
  lines.length = 0;
  const paused = await root.Pause({ id });
  assert.deepEqual([paused.state, paused.paused, paused.paused_by], ["STATE_RUNNING", true, "root"]);
  assert.equal((await ann.Status({ id })).paused, true);
  const resumed = await ann.Resume({ id });
  assert.deepEqual([resumed.state, resumed.paused, resumed.paused_by], ["STATE_RUNNING", false, ""]);
  await ann.Stop({ id });
  assert.equal(await codeOf(() => ann.Pause({ id })), "JOB_NOT_RUNNING");
  assert.deepEqual(lines, [
    ["root", "Pause", id, "OK"],
    ["ann", "Status", id, "OK"],
    ["ann", "Resume", id, "OK"],
    ["ann", "Stop", id, "OK"],
    ["ann", "Pause", id, "JOB_NOT_RUNNING"],
  ]);
});

Deno.test("Status has the resource usage of a running job, and the final status its total", async () => {
  await using service = startService();
  const calls = service.as(certificateOf("ann", "operator"));
  const script = "trap '' TERM; i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; sleep 1000 & echo up; wait";
  const { id } = await calls.Register({ command: "sh", args: ["-c", script] });
  const statuses = calls.Start({ id });
  const ended = (async () => (await all(statuses)).at(-1))();
  await first(calls.GetOutput({ id }));
  const { usage } = await calls.Status({ id });
  assert.ok(usage !== null);
  assert.ok((usage.cpu_user_us ?? 0) >= 10_000 && (usage.memory_bytes ?? 0) > 100_000, JSON.stringify(usage));
  assert.deepEqual([usage.cpu_source, usage.memory_source, usage.processes], [
    "USAGE_SOURCE_PROC",
    "USAGE_SOURCE_PROC",
    2,
  ]);
  assert.equal(usage.oom_kills, undefined, "Nobody counts them, which is not 0");
  assert.equal((await calls.List({})).jobs[0]?.usage, null, "Only who asks for one job is told");
  const final = await calls.Stop({ id, grace_ms: 50 });
  assert.deepEqual([final.state, final.signal, final.stopped_by], ["STATE_KILLED", "SIGKILL", "ann"]);
  assert.equal(final.others_ended, 1);
  assert.ok(final.term_sent_at !== null && final.kill_sent_at !== null);
  assert.ok(final.usage !== null && (final.usage.cpu_user_us ?? 0) > 0 && final.usage.memory_bytes === undefined);
  assert.deepEqual(await ended, final);
  assert.deepEqual((await calls.List({})).jobs[0], final);
});

Deno.test("Register refuses limits that the server cannot enforce, and passes the others on", async () => {
  const every = {
    memory_bytes: 104_857_600,
    cpus: 1.5,
    processes: 10,
    read_bytes_per_s: 1_000,
    write_bytes_per_s: 2_000,
    io_path: "/no/such/path",
  };
  const ann = certificateOf("ann", "operator");
  {
    await using service = startService();
    const calls = service.as(ann);
    for (const [name, value] of Object.entries(every).slice(0, -1)) {
      const refused = () => calls.Register({ command: "true", cgroup_limits: { [name]: value } });
      assert.equal(await codeOf(refused), "NOT_ENFORCEABLE", name);
    }
    const bad = [{ memory_bytes: 1 }, { cpus: 0 }, { processes: 0 }, { read_bytes_per_s: 0 }, { io_path: "/" }];
    for (const cgroup_limits of bad) {
      const refused = () => calls.Register({ command: "true", cgroup_limits });
      assert.equal(await codeOf(refused), "INVALID_ARGUMENT", JSON.stringify(cgroup_limits));
    }
    const { cgroup_limits } = await calls.Register({ command: "true", cgroup_limits: {} });
    assert.deepEqual(cgroup_limits, { io_path: "" });
  }
  const base = await fakeBase();
  await using supervisor = new Supervisor({ cgroups: CgroupTree.open({ base, name: "jobs" }) });
  const calls = clientOf(createService(supervisor), ann);
  const { read_bytes_per_s: _r, write_bytes_per_s: _w, io_path: _p, ...three } = every;
  const { id } = await calls.Register({ command: "true", cgroup_limits: three });
  assert.deepEqual((await calls.Status({ id })).cgroup_limits, { ...three, io_path: "" });
  await assert.rejects(
    calls.Register({ command: "true", cgroup_limits: every }),
    /^NotEnforceableError: Cannot limit disk bandwidth for "\/no\/such\/path"/,
  );
  await supervisor.close();
  await Deno.remove(base, { recursive: true });
});
