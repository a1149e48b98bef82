/** Tests of the limits, cgroups and scheduling that the launcher sets. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import { Cgroup } from "../../../worker/cgroup/cgroup.ts";
import { RLIMITS } from "../../../base/job_options/rlimits.ts";
import { Process } from "../../../worker/process/process.ts";
import { deadline } from "../../support/deadline.ts";
import { needing } from "../../support/needs.ts";
import { failed, run, sh } from "./run_program.ts";

Deno.test({
  ...needing("root", "Launch fails with the words of the system when its user has too many processes"),
  async fn() {
    // A user that exists on no system, and in no other run of this test.
    const uid = 50_000 + Deno.pid % 10_000;
    const runAs = { credentials: { uid, gid: uid, groups: [] }, env: {} };
    const up = Promise.withResolvers<void>();
    const output = { append: () => Promise.resolve(up.resolve()) };
    const other = new Process("sh", ["-c", "sleep 1000 & sleep 1000 & echo up; exec sleep 1000"], { runAs, output });
    const final = other.start();
    await deadline(up.promise, "the processes of the user");
    for (const options of [{}, { nice: 1 }, { noNewPrivileges: true }]) {
      failed(
        await run("true", [], { runAs, rlimits: { processes: 1 }, ...options }),
        "SPAWN_FAILED",
        /^Cannot execute command "true": Resource temporarily unavailable: its user has as many processes as the limit /,
      );
    }
    await other.stop();
    await final;
  },
});

Deno.test("Launch fails with the reason when it cannot join its cgroup, without a path of the host", async () => {
  const ran = await run("true", [], { cgroup: () => new Cgroup("/no/such/cgroup") });
  failed(ran, "SPAWN_FAILED", /could not be started: its cgroup could not be joined \([^/]*\)$/);
});

Deno.test("Launch joins the cgroup in the process that becomes the program", async () => {
  await using temp = await tempDir();
  const directory = temp.path;
  const { status } = await run("true", [], { cgroup: () => new Cgroup(directory) });
  assert.ok(status.state === "EXITED" && status.exitCode === 0);
  assert.equal(await Deno.readTextFile(`${directory}/cgroup.procs`), "0\n");
});

Deno.test("Launch fails with the reason when a limit is refused", async () => {
  // No process may have a limit above fs.nr_open: getrlimit(2).
  const openFiles = Number(await Deno.readTextFile("/proc/sys/fs/nr_open")) + 1;
  const ran = await run("true", [], { rlimits: { openFiles } });
  failed(ran, "SPAWN_FAILED", /could not be started: the limit on open files could not be set \(.*permitted/i);
});

Deno.test("Launch sets soft and hard limits before the first instruction", async () => {
  const { stdout } = await run("cat", ["/proc/self/limits"], {
    rlimits: {
      addressSpaceBytes: 100_000_000,
      cpuSeconds: 7,
      openFiles: 77,
      coreBytes: 0,
      fileBytes: 1_048_576,
      processes: 777,
    },
  });
  const limits = Object.values(RLIMITS).map(({ procName }) => {
    const line = stdout.split("\n").find((line) => line.startsWith(procName)) ?? "";
    return line.slice(procName.length).trim().split(/\s+/).slice(0, 2).join(" ");
  });
  assert.deepEqual(limits, ["0 0", "1048576 1048576", "7 8", "77 77", "777 777", "99999744 99999744"]);
});

Deno.test("Launch sets limits that the kernel enforces: memory, processor time, descriptors and file size", async () => {
  const memory = await sh("head -c 200000000 /dev/zero | tail -n 1 | wc -c", {
    rlimits: { addressSpaceBytes: 50_000_000 },
  });
  assert.match(memory.stderr, /memory/);
  assert.equal(memory.stdout.trim(), "0");
  const cpu = await sh("while :; do :; done", { rlimits: { cpuSeconds: 1 } });
  assert.ok(cpu.status.state === "KILLED" && cpu.status.signal === "SIGXCPU");
  const stubborn = await sh("trap '' XCPU; while :; do :; done", { rlimits: { cpuSeconds: 1 } });
  assert.ok(stubborn.status.state === "KILLED" && stubborn.status.signal === "SIGKILL");
  const forty = Array(40).fill("/dev/null"); // paste(1) opens all its files at the same time.
  const enough = await run("paste", forty.slice(38), { rlimits: { openFiles: 24 } });
  assert.ok(enough.status.state === "EXITED" && enough.status.exitCode === 0, enough.stderr);
  const files = await run("paste", forty, { rlimits: { openFiles: 24 } });
  assert.match(files.stderr, /open files/);
  const path = await Deno.makeTempFile({ prefix: "teleport-test-" });
  const size = await run("dd", ["if=/dev/zero", `of=${path}`, "bs=1000", "count=10"], {
    rlimits: { fileBytes: 5_120 },
  });
  assert.ok(size.status.state === "KILLED" && size.status.signal === "SIGXFSZ");
  assert.equal((await Deno.stat(path)).size, 5_120);
  await Deno.remove(path);
});

Deno.test("Launch sets the umask, and adds the niceness to the server's", async () => {
  const { stdout } = await sh("umask; nice", { umask: 0, nice: 5 });
  const own = await sh("umask; nice", {});
  const [umask, nice] = own.stdout.trim().split("\n");
  assert.equal(stdout, `0000\n${Math.min(19, Number(nice) + 5)}\n`);
  assert.match(umask ?? "", /^0/);
});
