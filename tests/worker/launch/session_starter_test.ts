/** Tests of starts by setsid(1): the session, what the program sees of it, and its failures. */
import assert from "node:assert/strict";
import { openSessions } from "../../support/sessions.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { SessionStarter } from "../../../worker/launch/session_starter.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { failed, run, sh } from "./run_program.ts";

/** Options with which a start takes each way. */
function waysOf(sessions: SessionStarter): readonly (readonly [string, ProcessOptions])[] {
  return [["directly", { sessions }], ["through the launcher", { sessions, umask: 0o22 }]];
}

/** Shows the process, its group and its session. */
const PROBE = 'set -- $(cat /proc/$$/stat); echo "$1 $5 $6"';

Deno.test("SessionStarter makes a session, adds no process, and leaves no secret name", async () => {
  await using temp = await tempDir();
  for (const [way, options] of waysOf(await openSessions(temp.path))) {
    const { status, stdout, stderr, states } = await sh(`${PROBE}; cat /proc/$$/task/$$/children`, options);
    assert.ok(status.state === "EXITED" && status.exitCode === 0, way);
    assert.match(stdout, new RegExp(`^${status.pid} ${status.pid} ${status.pid}\n\\d+ $`), way);
    assert.equal(stderr, "", way);
    assert.deepEqual(states, ["STARTING", "RUNNING", "EXITED"], way);
    assert.deepEqual([...Deno.readDirSync(temp.path)].map(({ name }) => name), ["setsid"], way);
  }
});

Deno.test("SessionStarter passes arguments, environment and descriptors unchanged", async () => {
  await using temp = await tempDir();
  const sessions = await openSessions(temp.path);
  const env = { "a.b": "dotted", "-x": "dashed", EMPTY: "", IFS: "x", OPTIND: "none", LC_CTYPE: "C", SHLVL: "7" };
  const args = ["", " ", "-n", "--", "'\"\\", "$HOME", "\n", "\u{1f600}"];
  for (const options of [{ env, id: "mark" }, { id: "mark" }]) {
    for (const command of [["/usr/bin/env", "-0"], ["printf", "[%s]", ...args], ["ls", "/proc/self/fd"]]) {
      const [path = "", ...rest] = command;
      const { stdout, stderr } = await run(path, rest, { ...options, sessions });
      const expected = await run(path, rest, options);
      assert.deepEqual({ stdout, stderr }, { stdout: expected.stdout, stderr: expected.stderr }, path);
    }
  }
});

Deno.test("SessionStarter leaves a start to the system when a variable would change setsid(1)", async () => {
  await using temp = await tempDir();
  const sessions = await openSessions(temp.path);
  const names = ["LD_PRELOAD", "LD_DEBUG", "GLIBC_TUNABLES", "NLSPATH", "LANGUAGE", "LC_ALL", "LANG"];
  for (const name of names) assert.equal(sessions.link({ [name]: "de_DE.UTF-8" }), undefined, name);
  for (
    const [name, value] of [["LANG", "C.UTF-8"], ["LC_ALL", ""], ["LANG", "en_US.UTF-8"], [
      "LC_CTYPE",
      "de_DE",
    ]] as const
  ) {
    using link = sessions.link({ [name]: value });
    assert.ok(link !== undefined, name);
  }
  // The loader of the system complains once, and not for setsid(1) too.
  const { stderr } = await run("true", [], { sessions, env: { LD_PRELOAD: "/nonexistent.so" } });
  assert.equal(stderr.match(/nonexistent\.so/g)?.length, 1);
});

Deno.test("SessionStarter leaves a start to the system when its link is gone", async () => {
  await using temp = await tempDir();
  const sessions = await openSessions(temp.path);
  await Deno.remove(`${temp.path}/setsid`);
  const { status, stdout } = await sh(PROBE, { sessions });
  assert.ok(status.state === "EXITED" && status.exitCode === 0);
  assert.equal(stdout, `${status.pid} ${status.pid} ${status.pid}\n`);
});

Deno.test("SessionStarter.open() returns undefined on a terminal, and for a directory that does not exist", async () => {
  await using temp = await tempDir();
  assert.equal(await SessionStarter.open(temp.path, true), undefined);
  assert.equal(await SessionStarter.open(`${temp.path}/missing`, false), undefined);
});

Deno.test("SessionStarter takes no output of a program for a failed start", async () => {
  await using temp = await tempDir();
  const sessions = await openSessions(temp.path);
  const path = await Deno.realPath("/bin/sh");
  const text = `setsid: failed to execute ${path}: Permission denied`;
  for (const code of [126, 127]) {
    const { status, stderr } = await run(path, ["-c", `echo "${text}" >&2; exit ${code}`], { sessions });
    assert.ok(status.state === "EXITED" && status.exitCode === code);
    assert.equal(stderr, `${text}\n`);
  }
  const { status, stderr } = await sh(`printf '\\001' >&2; exit 126`, { sessions });
  assert.ok(status.state === "EXITED" && status.exitCode === 126);
  assert.equal(stderr, "\x01");
});

Deno.test("SessionStarter reports a program that vanishes after it was found", async () => {
  await using temp = await tempDir();
  const sessions = await openSessions(temp.path);
  const path = `${temp.path}/program`;
  await Deno.writeTextFile(path, "#!/bin/sh\n", { mode: 0o755 });
  // The link is made after the program was found, and before it starts.
  const link: SessionStarter["link"] = (env) => {
    Deno.removeSync(path);
    return sessions.link(env);
  };
  failed(await run(path, [], { sessions: { link } }), "COMMAND_NOT_FOUND", /not found: give its path/);
});
