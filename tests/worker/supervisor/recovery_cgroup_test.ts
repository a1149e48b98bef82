/** Tests for recovery of jobs in cgroups, and of paused jobs, after the server was killed. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CgroupTree, Supervisor } from "../../../mod.ts";
import { readEntry } from "../../../worker/linux/procfs.ts";
import { cgroupTest } from "../../support/cgroups.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Runs a job in a server process that is then killed. Returns the job's id and the first line of its output. */
async function orphan(directory: string, base: string, script: string, how = "") {
  const program = new URL("./orphan_program.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "-A", program, directory, base, script, how],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const [id = "", line = ""] = new TextDecoder().decode((await reader.read()).value).trim().split(" ");
  await reader.cancel();
  child.kill("SIGKILL");
  await child.status;
  return { id, line };
}

for (const knowsCgroups of [true, false]) {
  const who = knowsCgroups ? "a server with cgroups" : "a server without cgroups";
  for (const how of ["running", "paused"]) {
    cgroupTest(
      `recovery ends a ${how} process in a cgroup, without a mark and in its own session, by ${who}`,
      async (cgroups) => {
        await using temporary = await tempDir();
        const directory = temporary.path;
        const script = "(setsid env -i sh -c 'echo $$; exec sleep 1000' &); exec sleep 1000";
        const { id, line: pid } = await orphan(directory, cgroups.directory, script, how);
        assert.equal(readEntry(Number(pid))?.zombie, false, "It survives the server");
        const own = knowsCgroups ? { cgroups: CgroupTree.open({ base: cgroups.directory, name: "jobs" }) } : {};
        await using supervisor = new Supervisor({ directory, ...own });
        const status = await supervisor.status(id);
        assert.deepEqual([status.state, status.paused], ["LOST", undefined]);
        assert.equal(status.exitReport?.survivorsEnded, 1);
        assert.equal(status.exitReport?.usage.cpuSource, "CGROUP", "The kernel continued to count");
        assert.ok(readEntry(Number(pid))?.zombie ?? true);
        assert.deepEqual(
          [...Deno.readDirSync(join(cgroups.directory, "jobs"))].filter((entry) => entry.isDirectory),
          [],
        );
        await supervisor.close();
        Deno.removeSync(join(cgroups.directory, "jobs"));
      },
    );
  }
}

Deno.test("recovery ends a paused job of a killed server, without cgroups", async () => {
  await using temporary = await tempDir();
  const directory = temporary.path;
  const { id, line: pid } = await orphan(directory, "", "setsid sh -c 'echo $$; exec sleep 1000' & wait", "paused");
  assert.equal(readEntry(Number(pid))?.stopped, true);
  await using supervisor = new Supervisor({ directory });
  assert.equal((await supervisor.status(id)).state, "LOST");
  assert.ok(readEntry(Number(pid))?.zombie ?? true);
  await supervisor.close();
});

cgroupTest("ready() ends and removes cgroups of jobs that are not in the store", async (cgroups) => {
  const forgotten = cgroups.create("forgotten", {}, "/");
  const child = new Deno.Command("sh", {
    args: ["-c", `echo 0 > "$0/cgroup.procs"; echo up; exec sleep 1000`, forgotten.directory],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  await using supervisor = new Supervisor({ cgroups });
  await supervisor.ready();
  assert.equal((await child.status).signal, "SIGKILL");
  assert.throws(() => Deno.statSync(forgotten.directory), Deno.errors.NotFound);
});
