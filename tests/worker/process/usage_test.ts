/** Tests of the usage of a job and its sources. */
import assert from "node:assert/strict";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";
import { join } from "node:path";
import { Cgroup } from "../../../worker/cgroup/cgroup.ts";
import { type ProcessEntry, readChildrenTicks, readEntry, readMemory } from "../../../worker/linux/procfs.ts";
import { Meter } from "../../../worker/process/usage.ts";
import { endedChildTicks } from "../../../worker/process/child_rusage.ts";

/** A membership without processes, so that the meter sees only the test's entries. */
const NOBODY = { leader: 2 ** 22 + 1, startTime: Infinity, mark: "no process has this mark" };

function entry(user: number, system: number): ProcessEntry {
  const pid = 2 ** 22 + 2;
  const rest = { ppid: 1, pgrp: pid, session: pid, startTime: 1, zombie: false, stopped: false };
  return { pid, ...rest, ticks: { user, system } };
}

async function cgroup(temp: TempDir, files: Record<string, string>): Promise<Cgroup> {
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(temp.path, name), text);
  return new Cgroup(temp.path);
}

const CPU = "usage_usec 1200000\nuser_usec 1000000\nsystem_usec 200000\nnr_periods 0\n";

Deno.test("Meter leaves out unknown figures", async () => {
  const meter = new Meter(NOBODY);
  assert.deepEqual(meter.final(undefined), {});
  assert.deepEqual(await meter.now(), { cpuUserUs: 0, cpuSystemUs: 0, cpuSource: "PROC", processes: 0 });
});

Deno.test("Meter keeps the highest figures seen, and prefers those of the kernel", () => {
  const meter = new Meter(NOBODY);
  assert.equal(meter.note([entry(5, 1), entry(2, 2)]), undefined, "Ended processes have no memory");
  meter.note([entry(6, 4)]);
  assert.deepEqual(meter.final(undefined), { cpuUserUs: 70_000, cpuSystemUs: 40_000, cpuSource: "PROC" });
  assert.deepEqual(meter.final({ user: 9, system: 8 }), {
    cpuUserUs: 90_000,
    cpuSystemUs: 80_000,
    cpuSource: "RUSAGE",
  });
});

Deno.test("Meter returns the figures of a cgroup that counts everything", async () => {
  const files = { "cpu.stat": CPU, "memory.current": "4096\n", "memory.peak": "8192\n" };
  await using temp = await tempDir();
  const counted = await cgroup(temp, { ...files, "memory.events": "oom 2\noom_kill 3\n", "cgroup.procs": "7\n8\n0\n" });
  const meter = new Meter(NOBODY, counted);
  meter.note([entry(99_999, 99_999)]);
  const whole = {
    cpuUserUs: 1_000_000,
    cpuSystemUs: 200_000,
    cpuSource: "CGROUP",
    peakMemoryBytes: 8_192,
    memorySource: "CGROUP",
    oomKills: 3,
  };
  assert.deepEqual(meter.final({ user: 1, system: 1 }), whole);
  assert.deepEqual(await meter.now(), { ...whole, memoryBytes: 4_096, processes: 2 });
});

Deno.test("Meter returns the memory from /proc when the cgroup does not count it", async () => {
  await using temp = await tempDir();
  const counted = await cgroup(temp, { "cpu.stat": CPU });
  const meter = new Meter(NOBODY, counted);
  const self = readEntry(Deno.pid);
  assert.ok(self !== undefined);
  assert.ok((meter.note([self]) ?? 0) > 1_000_000);
  const usage = meter.final(undefined);
  assert.deepEqual([usage.cpuSource, usage.memorySource, usage.oomKills], ["CGROUP", "PROC", undefined]);
  assert.ok((usage.peakMemoryBytes ?? 0) > 1_000_000);
});

Deno.test("readMemory() returns undefined for a process that does not exist", () => {
  const memory = readMemory({ pid: Deno.pid });
  assert.ok(memory !== undefined && memory.nowBytes > 1_000_000 && memory.peakBytes >= memory.nowBytes);
  assert.equal(readMemory({ pid: 2 ** 22 + 1 }), undefined);
});

Deno.test("endedChildTicks() returns the usage of a child that ended alone, with its children", async () => {
  const burn = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
  for (const script of [burn, `(${burn}); true`]) {
    const before = readChildrenTicks();
    const child = new Deno.Command("sh", { args: ["-c", script] }).spawn();
    await child.status;
    const ticks = await endedChildTicks();
    const after = readChildrenTicks();
    assert.ok(ticks !== undefined && before !== undefined && after !== undefined);
    assert.ok(ticks.user >= 2);
    assert.deepEqual(ticks, { user: after.user - before.user, system: after.system - before.system });
  }
});

Deno.test("endedChildTicks() returns undefined for children that ended together and used something", async () => {
  await endedChildTicks(); // Forgets earlier children.
  const burn = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
  const children = [1, 2].map(() => new Deno.Command("sh", { args: ["-c", burn] }).spawn());
  for (const child of children) await child.status;
  assert.deepEqual(await Promise.all([endedChildTicks(), endedChildTicks()]), [undefined, undefined]);
  assert.deepEqual(await Promise.all([endedChildTicks(), endedChildTicks()]), [
    { user: 0, system: 0 },
    { user: 0, system: 0 },
  ]);
});
