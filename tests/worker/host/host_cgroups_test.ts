/** Tests for a job host with cgroups: its own, and those that a dead host has left. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { CgroupTree } from "../../../mod.ts";
import { JobHost } from "../../../worker/host/job_host.ts";
import { newJobId } from "../../../worker/job/id.ts";
import { cgroupTest } from "../../support/cgroups.ts";
import { deadline } from "../../support/deadline.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { RecordedEvents } from "./conformance/fixture.ts";

const INSTANCE = "00000000000000ff";
const DEAD = "00000000000000aa";

/** Runs a function with a job host whose cgroups are below a cgroup. */
async function withHost(base: string, use: (host: JobHost, cgroups: CgroupTree) => Promise<void>): Promise<void> {
  await using temporary = await tempDir();
  using cgroups = CgroupTree.open({ base, name: `jobs-${INSTANCE}` });
  await using host = new JobHost({
    outputDirectory: join(temporary.path, "output"),
    hostsDirectory: join(temporary.path, "hosts"),
    instance: INSTANCE,
    version: "1",
    cgroups,
    cgroupText: "cgroups",
  });
  await use(host, cgroups);
}

cgroupTest(
  "a job host gives each job a cgroup, and says so",
  (base) =>
    withHost(base.directory, async (host, cgroups) => {
      assert.equal(host.info.cgroups?.directory, cgroups.directory);
      const events = new RecordedEvents();
      await host.attach(events);
      const id = newJobId();
      const spec = { id, command: "grep", args: ["-c", id, "/proc/self/cgroup"], registeredAt: new Date() };
      await host.start({ spec, noNewPrivileges: false, baseEnv: {} });
      const { status, details } = await events.end(id);
      assert.ok(status.state === "EXITED" && status.exitCode === 0);
      assert.equal(status.exitReport?.usage.cpuSource, "CGROUP");
      assert.equal(details.process?.cgroup, join(cgroups.directory, id));
    }),
);

cgroupTest(
  "discard() ends what is left in the cgroups of a dead host, and touches no others",
  (base) =>
    withHost(base.directory, async (host, cgroups) => {
      const dead = CgroupTree.open({ base: base.directory, name: `jobs-${DEAD}` });
      const other = CgroupTree.open({ base: base.directory, name: "jobs-00000000000000bb" });
      const left = dead.create("job", {}, "/");
      const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
      Deno.writeTextFileSync(join(left.directory, "cgroup.procs"), String(child.pid));
      await host.discard(DEAD);
      assert.equal((await deadline(child.status, "the end of the process")).signal, "SIGKILL");
      assert.throws(() => Deno.statSync(dead.directory), Deno.errors.NotFound);
      assert.ok(Deno.statSync(other.directory).isDirectory && Deno.statSync(cgroups.directory).isDirectory);
      await host.discard(DEAD);
      other[Symbol.dispose]();
    }),
);
