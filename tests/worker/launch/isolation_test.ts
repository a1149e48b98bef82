/** Tests of isolated jobs: what they see of the host and what the host sees of them, at each level. */
import assert from "node:assert/strict";
import { isolationPlan } from "../../../worker/launch/isolation.ts";
import { NotEnforceableError, Supervisor } from "../../../mod.ts";
import { Process } from "../../../worker/process/process.ts";
import { deadline } from "../../support/deadline.ts";
import { asUser, isolated, run } from "./isolated.ts";
import { skippedIf } from "../../support/needs.ts";

for (const level of ["PRIVATE", "STRICT"] as const) {
  Deno.test({
    ...isolated(`a ${level} job has its own /tmp, IPC and host name, and keeps pid, exit code and signal`),
    async fn() {
      const marker = await Deno.makeTempFile({ prefix: "teleport-test-" });
      const { status, stdout, stderr } = await run(
        `ls -A /tmp /dev/shm; echo x >/tmp/mine && echo y >/dev/shm/mine && cat /tmp/mine /dev/shm/mine; stat -c %a /tmp; echo $$
         for ns in mnt ipc uts net pid user; do readlink /proc/self/ns/$ns; done; exit 7`,
        { isolation: level, ...asUser(level) },
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
      await Deno.stat(marker); // The file of the host still exists. The job's files do not.
      await assert.rejects(Deno.stat("/tmp/mine"), Deno.errors.NotFound);
      await assert.rejects(Deno.stat("/dev/shm/mine"), Deno.errors.NotFound);
      await Deno.remove(marker);
      const killed = await run("kill -USR1 $$", { isolation: level, ...asUser(level) });
      assert.ok(killed.status.state === "KILLED" && killed.status.signal === "SIGUSR1");
    },
  });

  Deno.test({
    ...isolated(`stop() ends a ${level} job, which handles SIGTERM`),
    async fn() {
      const up = Promise.withResolvers<void>();
      const output = { append: () => Promise.resolve(up.resolve()) };
      const process = new Process("sh", ["-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done"], {
        isolation: level,
        ...asUser(level),
        output,
      });
      const final = process.start();
      await deadline(up.promise, "the first output");
      await process.stop({ graceMs: 60_000 });
      const status = await final;
      assert.ok(status.state === "EXITED" && status.exitCode === 5 && status.reason === "STOPPED");
    },
  });
}

Deno.test({
  ...isolated("a STRICT job cannot write elsewhere, has no network and gains no privileges"),
  async fn() {
    const { stdout, stderr } = await run(
      `for place in / /var /etc /sys/fs /home /root /dev /run /proc/self; do
         touch $place/teleport-test 2>/dev/null && echo "wrote $place"
       done
       for file in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/self/oom_score_adj; do
         (: >>$file) 2>/dev/null && echo "opened $file"
       done
       ls /sys/fs/cgroup /run; grep -c : /proc/net/dev; sed -n 's/^Cap[A-Z][a-z]*:\\t//p' /proc/self/status | sort -u
       sed -n 's/^NoNewPrivs:\\t//p' /proc/self/status
       mount -o remount,rw / 2>/dev/null && echo remounted; echo x >/dev/null && echo end`,
      { isolation: "STRICT", ...asUser("STRICT") },
    );
    assert.equal(stdout, "/run:\n\n/sys/fs/cgroup:\n1\n0000000000000000\n1\nend\n", stderr);
  },
});

Deno.test({
  ...isolated("a STRICT job has only the devices that every program needs"),
  async fn() {
    const { stdout, stderr } = await run(
      `find /dev ! -type d ! -type l | sort
       for link in fd stdin stdout stderr; do readlink /dev/$link; done
       head -c 2 /dev/zero | od -An -tx1; head -c 3 /dev/urandom | wc -c; echo x >/dev/full || echo full
       mknod /tmp/device c 1 5 2>/dev/null && head -c 1 /tmp/device && echo "made a device"
       script -qec 'echo terminal' /dev/null </dev/null 2>/dev/null | tr -d '\\r' || echo terminal
       echo out >/dev/stdout; echo err >/dev/stderr`,
      { isolation: "STRICT", ...asUser("STRICT") },
    );
    const devices = "full null ptmx pts/ptmx random tty urandom zero".split(" ").map((name) => `/dev/${name}`);
    const links = ["", "/0", "/1", "/2"].map((name) => `/proc/self/fd${name}`);
    assert.deepEqual(stdout.split("\n"), [...devices, ...links, " 00 00", "3", "full", "terminal", "out", ""], stderr);
    assert.match(stderr, /err\n$/);
  },
});

Deno.test({
  ...isolated("a STRICT job cannot signal processes of other users or reach sockets of the host", "root"),
  async fn(test) {
    const signal = await run(`kill -0 ${Deno.pid} || echo refused; kill -0 1 || echo refused`, {
      isolation: "STRICT",
      user: "nobody",
    });
    assert.equal(signal.stdout, "refused\nrefused\n");
    const client = "use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); my $at = $ARGV[0]; $at =~ s/^@/\\0/; " +
      'print connect(S, pack_sockaddr_un($at)) ? "connected" : "refused"';
    if ((await run("perl -e 1", {})).status.state !== "EXITED" || (await run("perl -e 1", {})).stderr !== "") {
      return void await test.step({ ...skippedIf("needs perl", "sockets"), fn: () => {} });
    }
    const name = `teleport-test-${crypto.randomUUID()}`;
    const server = `use Socket; for (@ARGV) { my $at = $_; $at =~ s/^@/\\0/; socket(my $s, PF_UNIX, SOCK_STREAM, 0);
      bind($s, pack_sockaddr_un($at)) or die; listen($s, 9); chmod 0666, $at; push @all, $s } $| = 1; print "up"; sleep 60`;
    const paths = [`/run/${name}`, `/dev/shm/${name}`, `@${name}`];
    const child = new Deno.Command("perl", { args: ["-e", server, ...paths], stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    for (const [level, expected] of [["none", "connected"], ["STRICT", "refused"]] as const) {
      for (const path of paths) {
        const isolation = level === "none" ? {} : { isolation: level };
        const { stdout } = await run('perl -e "$1" "$2"', { user: "nobody", ...isolation }, client, path);
        assert.equal(stdout, expected, `${level} ${path}`);
      }
    }
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
    await Promise.all(paths.slice(0, 2).map((path) => Deno.remove(path)));
  },
});

Deno.test({
  ...isolated("add() and start() refuse STRICT for a job of root", "root"),
  async fn() {
    const refused = /^Cannot isolate a job as "STRICT" here: it would run as root, .* \(name another user\)$/;
    for (const options of [{}, { user: "root" }, { user: "0" }, { group: "nogroup" }]) {
      const { status } = await run("true", { isolation: "STRICT", ...options });
      assert.ok(status.state === "FAILED" && refused.test(status.error), JSON.stringify(status));
    }
    await using supervisor = new Supervisor();
    await assert.rejects(supervisor.add("true", [], { isolation: "STRICT" }), (error) => {
      assert.ok(error instanceof NotEnforceableError && refused.test(error.message));
      return true;
    });
    await supervisor.add("true", [], { isolation: "STRICT", user: "nobody" });
  },
});

Deno.test({
  ...isolated("an isolated job keeps user, limits, umask, niceness and directory", "root"),
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
  ...isolated("a server without root isolates its jobs in a user namespace without capabilities", "root"),
  async fn() {
    // This process cannot change its user, so another process runs the commands.
    const { isolationPrivileges, isolationWrappers } = await import("../../../worker/launch/isolation.ts");
    const mountinfo = await Deno.readTextFile("/proc/self/mountinfo");
    for (const level of ["PRIVATE", "STRICT"] as const) {
      const plan = isolationPlan(level, mountinfo, false);
      const fail = 'fail() { echo "@$1" >&2; exit 125; }\n';
      const { stdout, stderr, code } = await new Deno.Command("setpriv", {
        args: [
          ...["--reuid=nobody", "--regid=nogroup", "--clear-groups"],
          ...isolationWrappers(plan, ["/bin/sh", "-c"], fail, "sh", { script: "", args: [] }),
          ...["setpriv", ...isolationPrivileges(plan)],
          ...["sh", "-c", "id -un; ls -A /tmp; grep CapEff /proc/self/status; touch /usr/x 2>/dev/null || echo end"],
        ],
        cwd: "/",
      }).output();
      const said = new TextDecoder().decode(stderr);
      // If the system lets no user create a namespace, the error says so.
      if (code !== 0 && /^unshare: /.test(said)) continue;
      assert.equal(said, "");
      assert.equal(new TextDecoder().decode(stdout), "nobody\nCapEff:\t0000000000000000\nend\n");
    }
  },
});

/** The program below cannot read files in /tmp, because it has its own. */
const isHidden = [Deno.execPath(), new URL(import.meta.url).pathname].some((path) => path.startsWith("/tmp/"));
const SAME_SOURCES = "a STRICT job is isolated on a host that has mounts with the same sources";

Deno.test({
  ...(isHidden ? skippedIf("Deno or this repository is in /tmp", SAME_SOURCES) : isolated(SAME_SOURCES, "root")),
  async fn() {
    const directory = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "teleport-test-" });
    const program = `
      import { Supervisor } from "${import.meta.resolve("../../../mod.ts")}";
      await using supervisor = new Supervisor();
      const script = 'touch /dev/shm/x /tmp/x; ls -A /dev/shm /tmp; touch "$1/x" 2>/dev/null || echo read-only';
      const id = await supervisor.add("sh", ["-c", script, "sh", "${directory}"], { isolation: "STRICT", user: "nobody" });
      await supervisor.start(id);
      for await (const chunk of supervisor.watchOutput(id)) Deno.stdout.writeSync(chunk.data);
    `;
    // Many hosts have such mounts, and so has a job of another server.
    const mounts = 'mount -t tmpfs none "$1" && mount -t tmpfs teleport /dev/shm && mount -t tmpfs teleport /tmp';
    const { stdout, stderr } = await new Deno.Command("unshare", {
      args: ["--mount", "sh", "-c", `${mounts} && exec "$2" eval "$3"`, "sh", directory, Deno.execPath(), program],
      env: { TMPDIR: "/tmp" },
    }).output();
    const text = new TextDecoder();
    assert.equal(text.decode(stdout), "/dev/shm:\nx\n\n/tmp:\nx\nread-only\n", text.decode(stderr));
    await Deno.remove(directory);
  },
});
