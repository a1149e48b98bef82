/** Tests of the launcher: what the program sees of it, and its failures. */
import assert from "node:assert/strict";
import { deadline } from "../../support/deadline.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { Launch } from "../../../worker/launch/launcher.ts";
import { type LaunchPlan, needsLauncher } from "../../../worker/launch/launch_plan.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import type { OutputSink } from "../../../worker/process/pump.ts";
import { failed, run, sh } from "./run_program.ts";
import { skippedIf } from "../../support/needs.ts";

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
    assert.equal(await deadline(first.promise), `stderr ${byte}`);
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

for (const shell of ["bash", "busybox"]) {
  Deno.test(`Launch works with ${shell}`, async (test) => {
    const args = shell === "busybox" ? ["sh"] : ["--posix"];
    try {
      await new Deno.Command(shell, { args: [...args, "-c", ":"] }).output();
    } catch {
      return void await test.step({ ...skippedIf(`needs ${shell}`, shell), fn: () => {} });
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
  await using temp = await tempDir();
  const directory = temp.path;
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
        await test.step({ ...skippedIf(`needs ${shell}`, shell), fn: () => {} });
        continue;
      }
      assert.equal(launch.stderr.pass(stderr), undefined);
      const failure = launch.failure();
      assert.equal(failure?.errorCode, errorCode, `${shell} ${name}`);
      assert.match(failure?.error ?? "", words, `${shell} ${name}`);
    }
  }
});
