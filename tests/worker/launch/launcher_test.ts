/** Tests of the launcher: its steps, what the program sees of it, and its failures. */
import assert from "node:assert/strict";
import { Cgroup } from "../../../worker/cgroup/cgroup.ts";
import { RLIMITS } from "../../../base/job_options/rlimits.ts";
import { Launch } from "../../../worker/launch/launcher.ts";
import { type LaunchPlan, needsLauncher } from "../../../worker/launch/launch_plan.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import type { OutputSink } from "../../../worker/process/pump.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { Sink } from "../../support/sink.ts";
import { deadline } from "../../support/deadline.ts";
import { needing } from "../../support/needs.ts";

interface Ran {
  readonly status: ProcessStatus;
  readonly stdout: string;
  readonly stderr: string;
  readonly states: readonly string[];
}

async function run(command: string, args: readonly string[], options: ProcessOptions): Promise<Ran> {
  const output = new Sink();
  const process = new Process(command, args, { output, ...options });
  const states: string[] = [];
  process.subscribe(({ state }) => states.push(state));
  const status = await process.start();
  return { status, ...output.text, states };
}

const sh = (script: string, options: ProcessOptions) => run("sh", ["-c", script], options);

function failed({ status, stdout, stderr }: Ran, errorCode: string, error: RegExp): void {
  assert.ok(status.state === "FAILED", JSON.stringify(status));
  assert.equal(status.errorCode, errorCode);
  assert.match(status.error, error);
  assert.match(status.error, /^[A-Z].*[^.]$/);
  assert.deepEqual({ stdout, stderr }, { stdout: "", stderr: "" });
}

/** A plan that needs one shell, and a plan that needs two. */
const WAYS: readonly (readonly [string, ProcessOptions])[] = [
  ["one shell", { umask: 0o27 }],
  ["two shells", { umask: 0o27, nice: 1 }],
];

Deno.test("needsLauncher() returns true only for a plan with a step", () => {
  assert.equal(needsLauncher({}), false);
  assert.equal(needsLauncher({ rlimits: {}, noNewPrivileges: false }), false);
  const plans: LaunchPlan[] = [{ umask: 0 }, { nice: 0 }, { rlimits: { coreBytes: 0 } }, { noNewPrivileges: true }];
  for (const plan of [...plans, { cgroupDir: "/x" }]) assert.equal(needsLauncher(plan), true);
});

for (const [way, options] of WAYS) {
  Deno.test(`Launch with ${way} passes arguments and environment unchanged`, async () => {
    const args = ["", " ", "-n", "--", "a b", "'\"\\", "$HOME", "`id`", "\n", "*", "é\u{1f600}", "\t"];
    const env = {
      PATH: "/bin:/usr/bin",
      EMPTY: "",
      "a.b": "dotted",
      "-x": "dashed",
      "1": "digit",
      "ü": "umlaut",
      LINES: "a\n'b'\n\"$c\"\n",
      OPTIND: "none",
      IFS: "x",
      LC_ALL: "C.UTF-8",
      TELEPORT_ENV: "one",
      TELEPORT_ENV_0: "two",
      LD_LIBRARY_PATH: "/no/such",
      ENV: "/no/such",
    };
    const names = await run("/usr/bin/env", ["-0"], { ...options, env, id: "mark" });
    const expected = { HOME: "/", LANG: "C.UTF-8", TELEPORT_ID: "mark", ...env };
    const seen = Object.fromEntries(
      names.stdout.split("\0").filter((line) => line !== "").map((line) => {
        const at = line.indexOf("=");
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
    assert.deepEqual(seen, expected);
    const shown = await run("printf", ["[%s]", ...args], { ...options, env });
    assert.equal(shown.stdout, args.map((arg) => `[${arg}]`).join(""));
    assert.equal(shown.stderr, "");
  });

  Deno.test(`Launch with ${way} keeps the pid and adds no process and no descriptor`, async () => {
    const { stdout, stderr, status, states } = await sh(
      "echo $$; cat /proc/$$/cmdline | tr '\\0' ' '; echo; cat /proc/$$/task/$$/children; echo; umask; pwd",
      { ...options, cwd: "/usr" },
    );
    const lines = stdout.split("\n").map((line) => line.trim());
    assert.ok(status.state === "EXITED" && status.exitCode === 0);
    assert.equal(lines[0], `${status.pid}`);
    assert.match(lines[1] ?? "", /^\S*sh -c echo \$\$/);
    assert.match(lines[2] ?? "", /^\d+$/); // The cat itself.
    assert.deepEqual(lines.slice(3, 5), ["0027", "/usr"]);
    // Every child also has the descriptors that the test runner left open, with and without a launcher.
    const descriptors = await run("ls", ["/proc/self/fd"], options);
    assert.equal(descriptors.stdout, (await run("ls", ["/proc/self/fd"], {})).stdout);
    assert.equal(stderr, "");
    assert.deepEqual(states, ["STARTING", "RUNNING", "EXITED"]);
  });

  Deno.test(`Launch with ${way} passes standard error unchanged, whatever the program prints`, async () => {
    for (const text of ["x", "@umask\\n", "sh: 1: exec: x: not found\\n", "00000000-0000", "a\\nb"]) {
      const { stderr, status } = await sh(`printf '${text}' >&2; exit 125`, options);
      assert.equal(stderr, text.replaceAll("\\n", "\n"));
      assert.ok(status.state === "EXITED" && status.exitCode === 125);
    }
    for (const code of [126, 127, 2]) {
      const { status } = await sh(`exit ${code}`, options);
      assert.ok(status.state === "EXITED" && status.exitCode === code);
    }
    const { stderr } = await sh("head -c 300000 /dev/zero >&2", options);
    assert.equal(stderr.length, 300_000);
  });

  Deno.test(`Launch with ${way} distinguishes a failed exec from exit codes 126 and 127`, async () => {
    const script = await Deno.makeTempFile({ prefix: "teleport-test-" });
    await Deno.chmod(script, 0o755);
    await Deno.writeTextFile(script, "#!/no/such/interpreter\n");
    failed(
      await run(script, [], options),
      "NOT_EXECUTABLE",
      /No such file or directory: its interpreter "\/no\/such\/interpreter" was not found$/,
    );
    await Deno.writeTextFile(script, 'echo "$1"; exit 3\n');
    const plain = await run(script, ["a b"], options);
    assert.ok(plain.status.state === "EXITED" && plain.status.exitCode === 3);
    assert.equal(plain.stdout, "a b\n");
    await Deno.remove(script);
  });

  Deno.test(`Launch with ${way} passes the most and the longest arguments and variables`, async () => {
    for (const args of [Array(65_000).fill("x".repeat(15)), Array(7).fill("x".repeat(131_000))]) {
      const { status, stdout } = await run("sh", ["-c", 'echo "$#"', "sh", ...args], options);
      assert.ok(status.state === "EXITED", JSON.stringify(status));
      assert.equal(stdout, `${args.length}\n`);
    }
    const env = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`V${index}`, "x".repeat(200)]));
    const { stdout } = await sh('echo "$V0" "$V2999" | wc -c', {
      ...options,
      env: { ...env, LONG: "x".repeat(130_000) },
    });
    assert.equal(stdout.trim(), "402");
  });

  Deno.test(`stop() during a launch with ${way} is a normal stop`, async () => {
    const process = new Process("sleep", ["1000"], options);
    const final = process.start();
    assert.equal(process.status.state, "STARTING");
    const status = await process.stop({ by: "ann" });
    assert.ok(status.state === "KILLED" && status.reason === "STOPPED" && status.stoppedBy === "ann");
    assert.equal(await final, status);
  });
}

Deno.test("Launch passes the first byte of standard error at once", async () => {
  for (const byte of "0123456789abcdef-:>") {
    const first = Promise.withResolvers<string>();
    const output: OutputSink = {
      append(stream, chunk) {
        first.resolve(`${stream} ${new TextDecoder().decode(chunk)}`);
        return Promise.resolve();
      },
    };
    const process = new Process("sh", ["-c", `printf '%s' '${byte}' >&2; exec sleep 1000`], { umask: 0, output });
    const final = process.start();
    assert.equal(await first.promise, `stderr ${byte}`);
    await process.stop();
    await final;
  }
});

Deno.test("Launch fails when the launcher is killed before the program runs", async () => {
  // The limit is too low even for the second shell.
  failed(
    await run("true", [], { nice: 1, rlimits: { addressSpaceBytes: 65_536 } }),
    "SPAWN_FAILED",
    /^Command "true" could not be started: the launcher failed \(/,
  );
});

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
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  const { status } = await run("true", [], { cgroup: () => new Cgroup(directory) });
  assert.ok(status.state === "EXITED" && status.exitCode === 0);
  assert.equal(await Deno.readTextFile(`${directory}/cgroup.procs`), "0\n");
  await Deno.remove(directory, { recursive: true });
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

for (const shell of ["bash", "busybox"]) {
  Deno.test(`Launch works with ${shell}`, async (test) => {
    const args = shell === "busybox" ? ["sh"] : ["--posix"];
    try {
      await new Deno.Command(shell, { args: [...args, "-c", ":"] }).output();
    } catch {
      return void await test.step({ name: `skipped: there is no ${shell}`, ignore: true, fn: () => {} });
    }
    const open: string[] = [];
    const launch = new Launch(
      { umask: 0o77, rlimits: { openFiles: 55, processes: 5_555, cpuSeconds: 5 } },
      {
        name: "sh",
        path: "/bin/sh",
        args: ["-c", 'umask; ulimit -n; echo "$A$1"; echo err >&2', "sh", " b "],
        env: { A: "$a" },
        cwd: "/",
      },
      "MARK",
      () => open.push("open"),
    );
    const out = await new Deno.Command(shell, { args: [...args, ...launch.args], env: launch.env, clearEnv: true })
      .output();
    assert.equal(new TextDecoder().decode(out.stdout), "0077\n55\n$a b \n");
    assert.equal(new TextDecoder().decode(launch.stderr.pass(out.stderr)), "err\n");
    assert.deepEqual(open, ["open"]);
    assert.equal(launch.failure(), undefined);
  });
}

Deno.test("Launch.failure() understands the messages of sh and bash", async (test) => {
  const directory = await Deno.makeTempDir({ prefix: "teleport-test-" });
  await Deno.writeTextFile(`${directory}/script`, "#!/no/such/interpreter\n", { mode: 0o755 });
  await Deno.writeTextFile(`${directory}/plain`, "#!/bin/sh\n", { mode: 0o644 });
  const cases = [
    [
      "script",
      "NOT_EXECUTABLE",
      /: No such file or directory: its interpreter "\/no\/such\/interpreter" was not found$/,
    ],
    ["plain", "NOT_EXECUTABLE", /: Permission denied: it is not executable: set its execute bit$/],
    ["gone", "COMMAND_NOT_FOUND", /not found/],
  ] as const;
  for (const shell of ["sh", "bash"]) {
    for (const [name, errorCode, words] of cases) {
      const launch = new Launch(
        { umask: 0 },
        { name, path: `${directory}/${name}`, args: [], env: {}, cwd: "/" },
        "MARK",
        () => {},
      );
      let stderr: Uint8Array;
      try {
        ({ stderr } = await new Deno.Command(shell, { args: [...launch.args], env: launch.env, clearEnv: true })
          .output());
      } catch {
        await test.step({ name: `skipped: there is no ${shell}`, ignore: true, fn: () => {} });
        continue;
      }
      assert.equal(launch.stderr.pass(stderr), undefined);
      const failure = launch.failure();
      assert.equal(failure?.errorCode, errorCode, `${shell} ${name}`);
      assert.match(failure?.error ?? "", words, `${shell} ${name}`);
    }
  }
  await Deno.remove(directory, { recursive: true });
});
