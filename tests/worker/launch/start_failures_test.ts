/** Tests of failed starts: each has its own reason, in the same words with and without the launcher. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import { HostExhaustedError } from "../../../worker/errors.ts";
import type { StartErrorCode } from "../../../worker/launch/failure.ts";
import { needingDisk, onDisk, run as runTool } from "../../support/small_disk.ts";
import { defined } from "../../../base/defined.ts";
import { FAILURES, isRoot, makeFiles, run, waysIn } from "./unexecutable_files.ts";
import { needing } from "../../support/needs.ts";

Deno.test("Process.start() returns the same reason of a failure with and without the launcher", async () => {
  await using files = await makeFiles();
  const directory = files.path;
  for (const [name, errorCode, words] of FAILURES) {
    const sentences = new Set<string>();
    for (const [way, options] of await waysIn(directory)) {
      const { status, stdout, stderr } = await run(`${directory}/${name}`, ["a"], options);
      assert.ok(status.state === "FAILED", `${name} ${way}: ${JSON.stringify(status)}`);
      assert.equal(status.errorCode, errorCode, `${name} ${way}: ${status.error}`);
      assert.match(status.error, words, `${name} ${way}`);
      assert.deepEqual([stdout, stderr], ["", ""]);
      sentences.add(status.error);
    }
    assert.equal(sentences.size, 1, [...sentences].join("\n"));
  }
});

Deno.test("Process.start() runs a text without an interpreter with sh, also an empty one", async () => {
  await using files = await makeFiles();
  const directory = files.path;
  for (const [way, options] of await waysIn(directory)) {
    const text = await run(`${directory}/text`, ["a b", "c"], options);
    assert.equal(text.stdout, "2:a b\n", way);
    assert.ok(text.status.state === "EXITED" && text.status.exitCode === 3, way);
    const { status } = await run(`${directory}/empty`, [], options);
    assert.ok(status.state === "EXITED" && status.exitCode === 0, way);
  }
});

Deno.test("Process.start() fails with ETXTBSY for a program that is being written", async () => {
  await using temp = await tempDir();
  const directory = temp.path;
  await Deno.copyFile("/bin/true", `${directory}/busy`);
  {
    using _ = await Deno.open(`${directory}/busy`, { append: true });
    for (const [way, options] of await waysIn(directory)) {
      const { status } = await run(`${directory}/busy`, [], options);
      assert.ok(status.state === "FAILED" && status.errorCode === "SPAWN_FAILED", way);
      assert.match(status.error, /: Text file busy: another process is writing to it$/, way);
    }
  }
});

Deno.test({
  ...needingDisk("Process.start() distinguishes a mount with noexec from a missing execute bit"),
  fn: () =>
    onDisk(1, async (disk) => {
      await Deno.copyFile("/bin/true", `${disk}/true`);
      await Deno.chmod(disk, 0o755);
      await runTool("mount", "-o", "remount,noexec", disk);
      for (
        const [way, options] of [
          ...await waysIn(disk),
          ...(isRoot ? [["as another user", { user: "nobody" }] as const] : []),
        ]
      ) {
        const { status } = await run(`${disk}/true`, [], options);
        assert.ok(status.state === "FAILED" && status.errorCode === "NOT_EXECUTABLE", way);
        assert.match(status.error, /: Permission denied: its file system is mounted with "noexec"$/, way);
      }
    }),
});

Deno.test("Process.start() searches PATH as execvp(3) does", async () => {
  await using files = await makeFiles();
  const directory = files.path;
  await Deno.mkdir(`${directory}/bin`);
  await Deno.writeTextFile(`${directory}/bin/plain`, "#!/bin/sh\necho found\n", { mode: 0o755 });
  await Deno.writeTextFile(`${directory}/bin/folder`, "#!/bin/sh\necho found\n", { mode: 0o755 });
  for (const [way, options] of await waysIn(directory)) {
    const path = (PATH: string) => ({ ...options, env: { PATH } });
    for (const name of ["plain", "folder"]) {
      const found = await run(name, [], path(`/no/such:${directory}/text:${directory}:${directory}/bin`));
      assert.equal(found.stdout, "found\n", `${name} ${way}`);
    }
    const loop = await run("loop", [], path(directory));
    assert.ok(loop.status.state === "FAILED" && loop.status.errorCode === "NOT_EXECUTABLE", way);
    assert.match(loop.status.error, /^Cannot execute command "loop": Too many levels of symbolic links$/);
    const format = await run("other-machine", [], path(`${directory}:${directory}/bin`));
    assert.ok(format.status.state === "FAILED" && /Exec format error/.test(format.status.error), way);
  }
});

Deno.test("Process.start() names the working directory that cannot be entered, with the reason", async () => {
  await using files = await makeFiles();
  const directory = files.path;
  const cases: readonly (readonly [string, StartErrorCode, RegExp])[] = [
    ["missing", "CWD_NOT_FOUND", /^Working directory "\S+" not found: create it or name another$/],
    ["plain", "CWD_NOT_FOUND", /^Working directory "\S+" is not a directory: name another$/],
    ["plain/x", "CWD_NOT_ENTERABLE", /^Cannot enter working directory "\S+": Not a directory$/],
    ["loop", "CWD_NOT_ENTERABLE", /^Cannot enter working directory "\S+": Too many levels of symbolic links$/],
    ["x".repeat(256), "CWD_NOT_ENTERABLE", /^Cannot enter working directory "\S+": File name too long$/],
  ];
  for (const [name, errorCode, words] of cases) {
    for (const [way, options] of await waysIn(directory)) {
      const { status } = await run("true", [], { ...options, cwd: `${directory}/${name}` });
      assert.ok(status.state === "FAILED", `${name} ${way}`);
      assert.equal(status.errorCode, errorCode, `${name} ${way}`);
      assert.match(status.error, words, `${name} ${way}`);
    }
  }
});

Deno.test({
  ...needing("root", "Process.start() names the directory that the user may not enter"),
  async fn() {
    await using files = await makeFiles();
    const directory = files.path;
    await Deno.mkdir(`${directory}/closed/inner`, { recursive: true });
    await Deno.writeTextFile(`${directory}/closed/inner/tool`, "#!/bin/sh\n", { mode: 0o755 });
    await Deno.chmod(`${directory}/closed`, 0o700);
    for (const isolation of [undefined, "PRIVATE"] as const) {
      // An isolated job has its own /tmp.
      if (isolation !== undefined && directory.startsWith("/tmp/")) continue;
      const options = { user: "nobody", ...defined({ isolation }) };
      for (const name of ["closed", "closed/inner"]) {
        const { status } = await run("true", [], { ...options, cwd: `${directory}/${name}` });
        assert.ok(status.state === "FAILED" && status.errorCode === "CWD_NOT_ENTERABLE");
        assert.equal(
          status.error,
          `Cannot enter working directory "${directory}/${name}": Permission denied: directory "${directory}/closed" may ` +
            "not be entered",
        );
      }
      // The answer does not reveal which files exist in the closed directory.
      for (const name of ["closed/inner/tool", "closed/inner/missing"]) {
        const { status } = await run(`${directory}/${name}`, [], options);
        assert.ok(status.state === "FAILED" && status.errorCode === "NOT_EXECUTABLE");
        assert.match(status.error, /: Permission denied: directory "\S+\/closed" may not be entered$/);
      }
      const missing = await run("true", [], { ...options, cwd: `${directory}/closed/missing` });
      assert.ok(missing.status.state === "FAILED" && missing.status.errorCode === "CWD_NOT_ENTERABLE");
      const PATH = `${directory}/closed/inner:${directory}/bin`;
      const alone = await run("tool", [], { ...options, env: { PATH } });
      assert.ok(alone.status.state === "FAILED" && alone.status.errorCode === "NOT_EXECUTABLE");
      await Deno.mkdir(`${directory}/bin`, { recursive: true });
      await Deno.writeTextFile(`${directory}/bin/tool`, "#!/bin/sh\necho found\n", { mode: 0o755 });
      assert.equal((await run("tool", [], { ...options, env: { PATH } })).stdout, "found\n");
    }
  },
});

Deno.test("Process.start() does not report a closed directory for a path that ends earlier", async () => {
  await using files = await makeFiles();
  const directory = files.path;
  const commands = [
    ["missing/tool", "COMMAND_NOT_FOUND", /not found/],
    ["missing/deeper/tool", "COMMAND_NOT_FOUND", /not found/],
    ["plain/tool", "NOT_EXECUTABLE", /: Not a directory$/],
    ["loop/tool", "NOT_EXECUTABLE", /: Too many levels of symbolic links$/],
  ] as const;
  const directories = [
    ["missing/deeper", "CWD_NOT_FOUND", /not found/],
    ["plain/deeper", "CWD_NOT_ENTERABLE", /: Not a directory$/],
    ["loop/deeper", "CWD_NOT_ENTERABLE", /: Too many levels of symbolic links$/],
  ] as const;
  for (const options of [{}, { umask: 0o27 }, ...(isRoot ? [{ user: "nobody" }] : [])]) {
    const seen = [
      ...await Promise.all(commands.map(async ([name, ...wanted]) => {
        return [name, wanted, (await run(`${directory}/${name}`, [], options)).status] as const;
      })),
      ...await Promise.all(directories.map(async ([name, ...wanted]) => {
        return [name, wanted, (await run("true", [], { ...options, cwd: `${directory}/${name}` })).status] as const;
      })),
    ];
    for (const [name, [errorCode, words], status] of seen) {
      assert.ok(status.state === "FAILED", name);
      assert.match(status.error, words, name);
      assert.equal(status.errorCode, errorCode, name);
    }
  }
});

Deno.test("Process.start() leaves the process in INITIAL when no descriptor is free", async () => {
  // This runs in its own process, which needs a low limit.
  const program = `
    import { Process } from ${JSON.stringify(new URL("../../../worker/process/process.ts", import.meta.url).href)};
    import { Supervisor } from ${JSON.stringify(new URL("../../../mod.ts", import.meta.url).href)};
    await using supervisor = new Supervisor();
    const id = await supervisor.add("true", [], ${"OPTIONS"});
    const process = new Process("true", [], ${"OPTIONS"});
    const files = [];
    try { while (true) files.push(Deno.openSync("/dev/null")); } catch { files.pop()?.close(); }
    const code = (start) => start.then(() => "started", (error) => error.code + ": " + error.message);
    const failed = await code(process.start());
    const job = await code(supervisor.start(id, { by: "ann" }));
    const { state, requestedBy } = await supervisor.status(id);
    for (const file of files) file.close();
    const { state: after } = await process.start();
    await supervisor.start(id);
    let last;
    for await (const status of supervisor.watchStatus(id)) last = status.state;
    console.log(JSON.stringify([failed, job, state, requestedBy ?? null, after, last]));
  `;
  const asUser = isRoot ? ["{ user: 'nobody' }", "{ user: 'nobody', isolation: 'PRIVATE' }"] : [];
  for (const options of ["{}", "{ umask: 0 }", ...asUser]) {
    const { stdout, stderr } = await new Deno.Command("sh", {
      args: ["-c", 'ulimit -n 64; exec "$@"', "sh", Deno.execPath(), "eval", program.replaceAll("OPTIONS", options)],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert.notEqual(text, "", new TextDecoder().decode(stderr));
    const why = 'HOST_EXHAUSTED: Cannot start command "true": Too many open files: try again later';
    assert.deepEqual(JSON.parse(text), [why, why, "INITIAL", null, "EXITED", "EXITED"], options);
  }
  assert.equal(new HostExhaustedError("x").code, "HOST_EXHAUSTED");
});
