/** Isolated jobs: what they see of the host and what the host sees of them; each level, as root and as another user. */
import assert from "node:assert/strict";
import { isolationPlan } from "../../worker/host_isolation.ts";
import type { Isolation } from "../../worker/command.ts";
import { NotEnforceableError, Supervisor } from "../../mod.ts";
import type { Stream } from "../../worker/output_record.ts";
import { Process, type ProcessOptions } from "../../worker/process.ts";
import { IsolationProbe } from "../../worker/supervisor_isolation.ts";

const MOUNTINFO = [
  "21 26 0:20 / /proc rw,relatime - proc proc rw",
  "22 26 0:21 / /sys rw,relatime - sysfs sysfs rw",
  "23 26 0:5 / /dev rw,relatime - devtmpfs dev rw",
  "24 23 0:22 / /dev/shm rw - tmpfs tmpfs rw",
  "26 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
  "27 22 0:24 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw",
  "28 26 8:2 / /home rw - ext4 /dev/sda2 rw",
  "29 28 8:3 / /home/a\\040b\\134c rw - ext4 /dev/sda3 rw",
  "30 26 8:4 / /media ro,relatime - ext4 /dev/sda4 rw",
  "31 26 0:30 / /tmp rw - tmpfs tmpfs rw",
  "32 26 0:31 / /tmpfiles rw - tmpfs tmpfs rw",
  "33 26 8:5 / /srv/inner rw - ext4 /dev/sda5 rw",
  "34 26 8:6 / /srv rw - ext4 /dev/sda6 rw",
  "35 28 8:7 / /home rw,nosuid - ext4 /dev/sda7 rw",
  "",
].join("\n");

Deno.test("isolationPlan() makes read-only what can be seen and written, and nothing that the job has anew", () => {
  assert.deepEqual(isolationPlan("STRICT", MOUNTINFO, true), {
    level: "STRICT",
    userNamespace: false,
    // Not what a later mount covers: /srv/inner, and the first /home with what is in it.
    readOnly: ["/", "/tmpfiles", "/srv", "/home"],
  });
  assert.deepEqual(isolationPlan("PRIVATE", MOUNTINFO, false), {
    level: "PRIVATE",
    userNamespace: true,
    readOnly: [],
  });
  const spaces = "1 2 8:3 / /a\\040b\\134c\\011d rw - ext4 x rw\n";
  assert.deepEqual(isolationPlan("STRICT", spaces, true).readOnly, ["/a b\\c\td"]);
});

async function run(script: string, options: ProcessOptions) {
  const text: Record<Stream, string> = { stdout: "", stderr: "" };
  const output = {
    append(stream: Stream, chunk: Uint8Array) {
      text[stream] += new TextDecoder().decode(chunk);
      return Promise.resolve();
    },
  };
  const status = await new Process("sh", ["-c", script], { output, ...options }).start();
  return { status, ...text };
}

/** Why a level cannot be had here; undefined when it can. */
async function reasonAgainst(level: Isolation): Promise<string | undefined> {
  try {
    await new IsolationProbe().check(level);
    return undefined;
  } catch (error) {
    if (error instanceof NotEnforceableError) return error.message;
    throw error;
  }
}

const against = await reasonAgainst("STRICT") ?? await reasonAgainst("PRIVATE");
const skipped = against === undefined ? {} : { ignore: true };
const why = against === undefined ? "" : ` (skipped: ${against})`;

for (const level of ["PRIVATE", "STRICT"] as const) {
  Deno.test({
    name: `a ${level} job has its own /tmp, IPC and host name, and its own pid, exit code and signal${why}`,
    ...skipped,
    async fn() {
      const marker = await Deno.makeTempFile({ prefix: "teleport-test-" });
      const { status, stdout, stderr } = await run(
        `ls -A /tmp /dev/shm; echo x >/tmp/mine && echo y >/dev/shm/mine && cat /tmp/mine /dev/shm/mine; stat -c %a /tmp; echo $$
         for ns in mnt ipc uts net pid user; do readlink /proc/self/ns/$ns; done; exit 7`,
        { isolation: level },
      );
      assert.equal(stderr, "");
      assert.ok(status.state === "EXITED" && status.exitCode === 7);
      const lines = stdout.trim().split("\n");
      assert.deepEqual(lines.slice(0, 6), ["/dev/shm:", "", "/tmp:", "x", "y", "1777"]);
      assert.equal(lines[6], `${status.pid}`);
      const own = await Promise.all(
        ["mnt", "ipc", "uts", "net", "pid"].map((name) => Deno.readLink(`/proc/self/ns/${name}`)),
      );
      const isOwn = lines.slice(7, 12).map((line, index) => line === own[index]);
      assert.deepEqual(isOwn, [false, false, false, level === "PRIVATE", true]);
      await Deno.stat(marker); // Still there, and nothing of the job's is.
      await assert.rejects(Deno.stat("/tmp/mine"), Deno.errors.NotFound);
      await assert.rejects(Deno.stat("/dev/shm/mine"), Deno.errors.NotFound);
      await Deno.remove(marker);
      const killed = await run("kill -USR1 $$", { isolation: level });
      assert.ok(killed.status.state === "KILLED" && killed.status.signal === "SIGUSR1");
    },
  });

  Deno.test({
    name: `a ${level} job is stopped like any other: it hears SIGTERM, and nothing is left of it${why}`,
    ...skipped,
    async fn() {
      const up = Promise.withResolvers<void>();
      const output = { append: () => Promise.resolve(up.resolve()) };
      const process = new Process("sh", ["-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done"], {
        isolation: level,
        output,
      });
      const final = process.start();
      await up.promise;
      await process.stop({ graceMs: 60_000 });
      const status = await final;
      assert.ok(status.state === "EXITED" && status.exitCode === 5 && status.reason === "STOPPED");
    },
  });
}

Deno.test({
  name: `a STRICT job can write nowhere else, has no network and no capability, also as root${why}`,
  ...skipped,
  async fn() {
    const { stdout, stderr } = await run(
      `for place in / /var /etc /sys/fs /home /root; do touch $place/teleport-test 2>/dev/null && echo "wrote $place"; done
       ls /sys/fs/cgroup; grep -c : /proc/net/dev; sed -n 's/^Cap[A-Z][a-z]*:\\t//p' /proc/self/status | sort -u
       mount -o remount,rw / 2>/dev/null && echo remounted; echo x >/dev/null && echo end`,
      { isolation: "STRICT" },
    );
    assert.equal(stdout, "1\n0000000000000000\nend\n", stderr);
  },
});

Deno.test({
  name: `an isolated job runs as its user, with limits, umask and niceness, in its directory${why}`,
  ignore: against !== undefined || Deno.uid() !== 0,
  async fn() {
    const { stdout, stderr } = await run("id -un; umask; ulimit -n; pwd; touch /tmp/x && stat -c %U /tmp/x", {
      isolation: "STRICT",
      user: "nobody",
      umask: 0o27,
      nice: 1,
      rlimits: { openFiles: 99 },
      cwd: "/usr",
      noNewPrivileges: true,
    });
    assert.equal(stdout, "nobody\n0027\n99\n/usr\nnobody\n", stderr);
  },
});

Deno.test({
  name: `an isolated job does not keep a way into the host's /tmp by its directory or its program${why}`,
  ...skipped,
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
    const inside = await run("ls", { isolation: "PRIVATE", cwd: directory });
    assert.ok(inside.status.state === "FAILED" && inside.status.errorCode === "CWD_NOT_FOUND");
    await Deno.writeTextFile(`${directory}/tool`, "#!/bin/sh\n", { mode: 0o755 });
    const status = await new Process(`${directory}/tool`, [], { isolation: "PRIVATE" }).start();
    assert.ok(status.state === "FAILED" && status.errorCode === "NOT_EXECUTABLE");
    await Deno.remove(directory, { recursive: true });
  },
});

Deno.test({
  name: `a supervisor isolates, says so in the status, and refuses what is no isolation${why}`,
  ...skipped,
  async fn() {
    await using supervisor = new Supervisor({ newPrivileges: "DENIED" });
    const ids = await Promise.all([1, 2, 3].map(() => supervisor.add("ls", ["-A", "/tmp"], { isolation: "STRICT" })));
    for (const id of ids) {
      await supervisor.start(id);
      for await (const piece of supervisor.watchOutput(id)) assert.fail(new TextDecoder().decode(piece.data));
      const status = await supervisor.status(id);
      assert.ok(status.state === "EXITED" && status.exitCode === 0 && status.isolation === "STRICT");
    }
    await assert.rejects(supervisor.add("true", [], { isolation: "private" as Isolation }), /Unknown isolation/);
  },
});

Deno.test({
  name: `another user than root isolates its jobs in a user namespace, and they have no capability there${why}`,
  ignore: against !== undefined || Deno.uid() !== 0,
  async fn() {
    // This process cannot be another user, so the commands that it would run are run by one.
    const { isolationPrivileges, isolationWrappers } = await import("../../worker/host_isolation.ts");
    const mountinfo = await Deno.readTextFile("/proc/self/mountinfo");
    for (const level of ["PRIVATE", "STRICT"] as const) {
      const plan = isolationPlan(level, mountinfo, false);
      const fail = 'fail() { echo "@$1" >&2; exit 125; }\n';
      const { stdout, stderr, code } = await new Deno.Command("setpriv", {
        args: [
          ...["--reuid=nobody", "--regid=nogroup", "--clear-groups"],
          ...isolationWrappers(plan, ["/bin/sh", "-c"], fail, "sh"),
          ...["setpriv", ...isolationPrivileges(plan)],
          ...["sh", "-c", "id -un; ls -A /tmp; grep CapEff /proc/self/status; touch /usr/x 2>/dev/null || echo end"],
        ],
        cwd: "/",
      }).output();
      const said = new TextDecoder().decode(stderr);
      // Where the system lets no user make a namespace, that is what is said, and by whom.
      if (code !== 0 && /^unshare: /.test(said)) continue;
      assert.equal(said, "");
      assert.equal(new TextDecoder().decode(stdout), "nobody\nCapEff:\t0000000000000000\nend\n");
    }
  },
});
