/** Tests of real cgroups. */
import assert from "node:assert/strict";
import { eventually } from "../../support/deadline.ts";
import type { Cgroup } from "../../../worker/cgroup/cgroup.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { cgroupTest } from "../../support/cgroups.ts";

/** Starts a script that joins the cgroup, and waits until it has written a line. */
async function inside(cgroup: Cgroup, script: string) {
  const child = new Deno.Command("sh", {
    args: ["-c", `echo 0 > "$0/cgroup.procs" && eval "$1"`, cgroup.directory, script],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    detached: true,
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assert.ok(value !== undefined, "It ended before it was up");
  await reader.cancel();
  return child;
}

cgroupTest(
  "Cgroup.kill() ends all processes, also one that left group, session and parent",
  async (cgroups) => {
    const cgroup = cgroups.create("one", {}, "/");
    const child = await inside(
      cgroup,
      "trap '' TERM; (setsid env -i sh -c 'sleep 1000 & exec sleep 1000' &); sleep 1000 & echo up; wait",
    );
    await eventually(() => cgroup.pids().length === 4, "the kernel to act");
    assert.ok(cgroup.isPopulated);
    const pids = cgroup.pids();
    assert.ok(pids.includes(child.pid));
    cgroup.kill();
    assert.equal((await child.status).signal, "SIGKILL");
    await eventually(() => !cgroup.isPopulated, "the kernel to act");
    for (const pid of pids) assert.ok(readEntry(pid)?.zombie ?? true);
    assert.ok(cgroup.remove());
    assert.ok(cgroup.remove(), "What is gone need not be removed");
    assert.deepEqual(cgroup.pids(), []);
  },
);

cgroupTest(
  "Cgroup.freeze() freezes and thaws all processes, and kill() ends frozen ones",
  async (cgroups) => {
    const cgroup = cgroups.create("one", {}, "/");
    const child = await inside(cgroup, "echo up; while :; do :; done");
    assert.ok(cgroup.freeze(true));
    await eventually(() => cgroup.isFrozen, "the kernel to act");
    const stopped = cgroup.usage();
    assert.deepEqual(cgroup.usage()?.cpuUserUs, stopped?.cpuUserUs);
    assert.ok(cgroup.freeze(false));
    await eventually(() => (cgroup.usage()?.cpuUserUs ?? 0) > (stopped?.cpuUserUs ?? 0), "the kernel to act");
    assert.ok(!cgroup.isFrozen);
    cgroup.freeze(true);
    await eventually(() => cgroup.isFrozen, "the kernel to act");
    cgroup.kill();
    assert.equal((await child.status).signal, "SIGKILL");
    await eventually(() => !cgroup.isPopulated, "the kernel to act");
    assert.ok(cgroup.remove());
    assert.equal(cgroup.freeze(true), false);
  },
);

cgroupTest("Cgroup.usage() counts all processes, ended ones included", async (cgroups) => {
  const cgroup = cgroups.create("one", {}, "/");
  assert.equal(cgroup.usage()?.cpuUserUs, 0);
  const child = await inside(cgroup, "echo up; (i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done) & wait");
  await child.status;
  const usage = cgroup.usage();
  assert.ok(usage !== undefined && usage.cpuUserUs > 5_000, JSON.stringify(usage));
  if (cgroups.controllers.has("memory")) assert.equal(cgroup.oomKills, 0);
  else assert.deepEqual([usage.memoryBytes, cgroup.oomKills], [undefined, undefined]);
  assert.ok(cgroup.remove());
  assert.equal(cgroup.usage(), undefined);
});

cgroupTest(
  "Cgroup.remove() keeps a cgroup with a process, and removes the cgroups below",
  async (cgroups) => {
    const cgroup = cgroups.create("one", {}, "/");
    const child = await inside(cgroup, `mkdir -p "$0/a/b"; echo 0 > "$0/a/b/cgroup.procs"; echo up; exec sleep 1000`);
    assert.equal(cgroup.remove(), false);
    assert.deepEqual(cgroup.pids(), [child.pid]);
    cgroup.kill();
    await child.status;
    await eventually(() => !cgroup.isPopulated, "the kernel to act");
    assert.ok(cgroup.remove());
  },
);

cgroupTest("Cgroup.signal() reaches each process, whatever its group", async (cgroups) => {
  const cgroup = cgroups.create("one", {}, "/");
  const child = await inside(cgroup, "(setsid sleep 1000 &); echo up; exec sleep 1000");
  await eventually(() => cgroup.pids().length === 2, "the kernel to act");
  cgroup.signal("SIGTERM");
  assert.equal((await child.status).signal, "SIGTERM");
  await eventually(() => !cgroup.isPopulated, "the kernel to act");
  assert.ok(cgroup.remove());
  cgroup.signal("SIGTERM");
});
