/** Tests of users and groups, and of processes that run as another user. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import { findUser } from "../../../worker/launch/passwd.ts";
import { gainsNoPrivileges } from "../../../worker/launch/host.ts";
import type { Stream } from "../../../worker/output/frame.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { Sink } from "../../support/sink.ts";
import { needing, skippedIf } from "../../support/needs.ts";

async function files() {
  const temp = await tempDir();
  const passwd = `${temp.path}/passwd`;
  const group = `${temp.path}/group`;
  await Deno.writeTextFile(
    passwd,
    "root:x:0:0:root:/root:/bin/sh\n# a comment\nann:x:1000:1001:Ann:/home/ann:/bin/sh\n7:x:1007:1007::/:/bin/sh\n" +
      "broken:x\nempty:x::5:::\nbob:x:7:8::\n+::::::\n",
  );
  await Deno.writeTextFile(group, "root:x:0:\nann:x:1001:\ndisk:x:6:ann,bob\nwheel:x:10:ann\nlate:x:11:annette\n");
  return { passwd, group, [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() };
}

Deno.test("findUser() finds a user by name and number, with all groups", async () => {
  await using from = await files();
  const ann = {
    credentials: { uid: 1000, gid: 1001, groups: [1001, 6, 10] },
    env: { HOME: "/home/ann", USER: "ann", LOGNAME: "ann" },
  };
  assert.deepEqual(findUser({ user: "ann" }, from), ann);
  assert.deepEqual(findUser({ user: "1000" }, from), ann);
  assert.deepEqual(findUser({ user: "ann", group: "wheel" }, from), {
    ...ann,
    credentials: { uid: 1000, gid: 10, groups: [10, 6] },
  });
  assert.deepEqual(findUser({ user: "bob", group: "0" }, from), {
    credentials: { uid: 7, gid: 0, groups: [0, 6] },
    env: { HOME: "/", USER: "bob", LOGNAME: "bob" },
  });
});

Deno.test("findUser() prefers a name that looks like a number", async () => {
  await using from = await files();
  const found = findUser({ user: "7" }, from);
  assert.ok("credentials" in found && found.credentials.uid === 1007);
});

Deno.test("findUser() keeps the user when only a group is given", async () => {
  await using from = await files();
  assert.deepEqual(findUser({ group: "disk" }, from), {
    credentials: { uid: Deno.uid(), gid: 6, groups: [6] },
    env: {},
  });
});

Deno.test("findUser() names the missing user or group, and ignores broken lines", async () => {
  await using from = await files();
  const cases = [
    [{ user: "nobody-here" }, 'No such user "nobody-here"'],
    [{ user: "broken" }, 'No such user "broken"'],
    [{ user: "empty" }, 'No such user "empty"'],
    [{ user: "+" }, 'No such user "+"'],
    [{ user: "" }, 'No such user ""'],
    [{ user: "4711" }, 'No such user "4711"'],
    [{ user: "-1" }, 'No such user "-1"'],
    [{ user: "ann", group: "none" }, 'No such group "none"'],
  ] as const;
  for (const [wanted, sentence] of cases) {
    const found = findUser(wanted, from);
    assert.ok("error" in found && found.errorCode === "USER_NOT_FOUND", sentence);
    assert.ok(found.error.startsWith(sentence), found.error);
  }
  assert.ok("error" in findUser({ user: "ann" }, { passwd: "/no/such", group: "/no/such" }));
});

/** A user of this system other than root. Undefined if the tests cannot change their user. */
function another(): string | undefined {
  return Deno.uid() === 0 && "credentials" in findUser({ user: "nobody" }) ? "nobody" : undefined;
}

const cannot = another() === undefined;
const asNobody = (name: string) => needing(["root", "nobody"], name);

async function run(command: string, args: readonly string[], options: ProcessOptions) {
  const text: Record<Stream, string> = { stdout: "", stderr: "" };
  const output = {
    append(stream: Stream, chunk: Uint8Array) {
      text[stream] += new TextDecoder().decode(chunk);
      return Promise.resolve();
    },
  };
  const status = await new Process(command, args, { output, ...options }).start();
  return { status, ...text };
}

Deno.test({
  ...asNobody("a process has the groups and variables of its user, and cannot change its user"),
  async fn() {
    const found = findUser({ user: "nobody" });
    assert.ok("credentials" in found);
    const { uid, gid, groups } = found.credentials;
    const { stdout, stderr } = await run("sh", [
      "-c",
      'grep -E "^(Uid|Gid|Groups|CapEff|CapPrm)" /proc/self/status; echo "$HOME $USER $LOGNAME $X"',
    ], {
      user: "nobody",
      env: { X: "given", LOGNAME: "mine" },
      baseEnv: { HOME: "/of/the/server" },
    });
    assert.equal(stderr, "");
    const lines = stdout.trim().split("\n").map((line) => line.trim().replaceAll("\t", " "));
    assert.deepEqual(lines, [
      `Uid: ${Array(4).fill(uid).join(" ")}`,
      `Gid: ${Array(4).fill(gid).join(" ")}`,
      `Groups: ${groups.join(" ")}`,
      "CapPrm: 0000000000000000",
      "CapEff: 0000000000000000",
      `${found.env.HOME} nobody mine given`,
    ]);
    const back = await run("setpriv", ["--reuid=0", "true"], { user: "nobody" });
    assert.ok(back.status.state === "EXITED" && back.status.exitCode !== 0);
    const group = await run("sh", ["-c", "id -u; id -g; id -G"], { group: `${gid}` });
    assert.equal(group.stdout, `0\n${gid}\n${gid}\n`);
  },
});

Deno.test({
  ...asNobody("a process loads the variables of its user only after it has changed its user"),
  async fn() {
    // Every program reports a library that it cannot load: ld.so(8).
    const { stdout, stderr } = await run("echo", ["hello"], { user: "nobody", env: { LD_PRELOAD: "/no/such.so" } });
    assert.equal(stdout, "hello\n");
    assert.equal(stderr.match(/LD_PRELOAD/g)?.length, 1, stderr);
  },
});

Deno.test({
  ...asNobody("a process fails with the reason when its user may not enter its directory or run its program"),
  async fn() {
    await using temp = await tempDir();
    const directory = temp.path;
    const inside = await run("true", [], { user: "nobody", cwd: directory });
    assert.ok(inside.status.state === "FAILED" && inside.status.errorCode === "CWD_NOT_ENTERABLE");
    assert.match(
      inside.status.error,
      /^Cannot enter working directory "\S+": Permission denied: directory "\S+" may not be entered$/,
    );
    await Deno.writeTextFile(`${directory}/tool`, "#!/bin/sh\n", { mode: 0o755 });
    const program = await run(`${directory}/tool`, [], { user: "nobody" });
    assert.ok(program.status.state === "FAILED" && program.status.errorCode === "NOT_EXECUTABLE");
    assert.match(program.status.error, /: Permission denied: directory "\S+" may not be entered$/);
    assert.equal(inside.stderr + program.stderr, "");
  },
});

Deno.test({
  ...asNobody("a process can open its standard streams by name, also as another user"),
  async fn() {
    const script = "cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr";
    for (
      const options of [{ user: "nobody" }, { group: "nogroup" }, { user: "nobody", isolation: "STRICT" as const }]
    ) {
      for (const input of [false, true]) {
        const output = new Sink();
        const process = new Process("sh", ["-c", script], { ...options, input, output });
        const ended = process.start();
        const data = new TextEncoder().encode("in\n");
        if (input) {
          await process.input?.accept(
            (async function* () {
              yield { data, end: true };
            })(),
            {},
          );
        }
        const status = await ended;
        // Other tests cover hosts without isolation.
        if (status.state === "FAILED" && options.isolation !== undefined) continue;
        assert.deepEqual(
          output.text,
          { stdout: input ? "in\nout\n" : "out\n", stderr: "err\n" },
          JSON.stringify(status),
        );
      }
    }
    // The input of a job without one is /dev/null, which belongs to root.
    assert.equal((await Deno.stat("/dev/null")).uid, 0);
  },
});

Deno.test({
  ...asNobody("a limit on processes applies to a user other than root"),
  async fn() {
    const options = { user: "nobody", rlimits: { processes: 3 } };
    const { status, stdout } = await run(
      "sh",
      ["-c", "for i in 1 2 3 4 5 6; do sleep 1000 & done; echo started"],
      options,
    );
    // The limit also counts other processes of the user, so fewer may start. But not all of them may start.
    assert.ok(!stdout.includes("started"), JSON.stringify({ status, stdout }));
  },
});

Deno.test("a process fails when its user does not exist", async () => {
  const { status } = await run("true", [], { user: "no-such-user" });
  assert.ok(status.state === "FAILED" && status.errorCode === "USER_NOT_FOUND");
});

Deno.test({
  ...skippedIf(
    gainsNoPrivileges() ? "needs a process that can gain privileges" : undefined,
    "a process gains privileges only if it may",
  ),
  async fn() {
    const look = async (options: ProcessOptions) =>
      (await run("grep", ["NoNewPrivs", "/proc/self/status"], options)).stdout.trim().split("\t")[1];
    assert.equal(await look({ noNewPrivileges: true }), "1");
    assert.equal(await look({ noNewPrivileges: false }), "0");
    if (!cannot) assert.equal(await look({ noNewPrivileges: true, user: "nobody" }), "1");
  },
});
