/** A role that is limited to a command and a template, and attempts to get around it with the command line. */
import assert from "node:assert/strict";
import { main } from "../../cli/main.ts";
import { connect } from "../../rpc/client/client.ts";
import { FakeStdin, FakeTerminal, MemoryFile } from "../support/fake_io.ts";
import { certs, type Server, startServer } from "../support/programs.ts";
import { replaceFile } from "../support/server_place.ts";

const POLICY = {
  roles: {
    admin: [{ calls: ["all"], jobs: "all" }],
    greeter: [{
      calls: ["all"],
      jobs: "own",
      commands: [{ path: "/bin/echo", args: ["[a-z]+"], env: ["LANG"], cwd: "/tmp/[^/]*" }],
      templates: ["greet"],
    }],
  },
  templates: {
    greet: {
      command: "/bin/echo",
      args: ["hello", "{who}", "{times}"],
      parameters: {
        who: { pattern: "[a-z]+" },
        times: { int: { min: 1, max: 9 }, default: "1" },
      },
    },
  },
};

/** The allowed command lines. The refused ones below differ from these. */
const allowed: [string, string[], string][] = [
  ["the command", ["/bin/echo", "hi"], "hi\n"],
  ["a variable that is named", ["-e", "LANG=C", "/bin/echo", "hi"], "hi\n"],
  ["limits of time and output", ["--timeout", "9s", "--max-output", "1k", "--nice", "1", "/bin/echo", "hi"], "hi\n"],
  ["the template", ["--template", "greet", "--param", "who=you"], "hello you 1\n"],
];

const escapes: [string, string[]][] = [
  ["another command", ["/bin/sh", "-c", "id"]],
  ["a bare name, which PATH decides", ["echo", "hi"]],
  ["a bare name in a PATH of one's own", ["-e", "PATH=/tmp/mine", "echo", "hi"]],
  ["a PATH of one's own", ["-e", "PATH=/tmp/mine", "/bin/echo", "hi"]],
  ["another spelling", ["/bin/../bin/echo", "hi"]],
  ["two slashes", ["//bin/echo", "hi"]],
  ["a trailing slash", ["/bin/echo/", "hi"]],
  ["a relative path", ["./echo", "hi"]],
  ["a relative path in a directory that matches", ["--cwd", "/tmp/x", "../bin/echo", "hi"]],
  ["a line break behind the command", ["/bin/echo\n", "hi"]],
  ["a library to load first", ["-e", "LD_PRELOAD=/tmp/x.so", "/bin/echo", "hi"]],
  ["a variable in other letters", ["-e", "lang=C", "/bin/echo", "hi"]],
  ["an option", ["/bin/echo", "--", "-n"]],
  ["no argument", ["/bin/echo"]],
  ["an argument more", ["/bin/echo", "hi", "there"]],
  ["an empty argument more", ["/bin/echo", "hi", ""]],
  ["a line break behind an argument", ["/bin/echo", "hi\n"]],
  ["a line before an argument", ["/bin/echo", "-e\nhi"]],
  ["letters that only look like it", ["/bin/echo", "hі"]],
  ["another directory", ["--cwd", "/etc", "/bin/echo", "hi"]],
  ["the way back up", ["--cwd", "/tmp/..", "/bin/echo", "hi"]],
  ["a line break in a directory", ["--cwd", "/tmp/x\n/etc", "/bin/echo", "hi"]],
  ["an input", ["--stdin", "/bin/echo", "hi"]],
  ["another user", ["--user", "root", "/bin/echo", "hi"]],
  ["another group", ["--group", "root", "/bin/echo", "hi"]],
  ["more privileges", ["--allow-new-privileges", "/bin/echo", "hi"]],
  ["the server's variables", ["--inherit-env", "/bin/echo", "hi"]],
  ["files for everybody", ["--umask", "0", "/bin/echo", "hi"]],
  ["another template", ["--template", "other"]],
  ["a parameter that is an option", ["--template", "greet", "--param", "who=-n"]],
  ["a parameter with a line break", ["--template", "greet", "--param", "who=you\n"]],
  ["a parameter that is missing", ["--template", "greet"]],
  ["a parameter that there is not", ["--template", "greet", "--param", "who=you", "--param", "x=y"]],
  ["a number that is none", ["--template", "greet", "--param", "who=you", "--param", "times=1 2"]],
  ["a number too large", ["--template", "greet", "--param", "who=you", "--param", "times=10"]],
  ["a template with a variable", ["--template", "greet", "--param", "who=you", "-e", "LANG=C"]],
  ["a template elsewhere", ["--template", "greet", "--param", "who=you", "--cwd", "/tmp/x"]],
  ["a template with an input", ["--template", "greet", "--param", "who=you", "--stdin"]],
  ["a template as another user", ["--template", "greet", "--param", "who=you", "--user", "root"]],
  ["a template with more privileges", ["--template", "greet", "--param", "who=you", "--allow-new-privileges"]],
];

/** Runs the command line in this process, because many processes would take a minute. The server is real. */
async function teleport({ dir, address }: Server, ...args: string[]) {
  const [stdout, stderr] = [new MemoryFile(), new MemoryFile()];
  const io = {
    stdin: new FakeStdin(),
    stdout,
    stderr,
    terminal: new FakeTerminal(),
    onSignal: () => ({ [Symbol.dispose]: () => {} }),
    startProgram: () => assert.fail("No program of this machine is needed"),
    runShell: () => assert.fail("No program of this machine is needed"),
    nowMs: () => performance.now(),
    connect: (options: Parameters<typeof connect>[0]) => Promise.resolve(connect(options)),
  };
  const code = await main(args, { TELEPORT_CERTS: `${dir}/certs`, TELEPORT_ADDRESS: address }, io);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

Deno.test("a limited role runs the commands that its rules allow, and no others", async () => {
  const dir = await Deno.makeTempDir({ prefix: "teleport_identity_" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  await certs("init", "--dir", `${dir}/certs`);
  await certs("client", "ann", "--role", "greeter", "--dir", `${dir}/certs`);
  await replaceFile(`${dir}/policy.json`, JSON.stringify(POLICY));
  await using server = await startServer({
    dir,
    initCerts: false,
    jobHost: "none",
    args: ["--policy", `${dir}/policy.json`],
  });
  const ann = (...args: string[]) => teleport(server, "--identity", "ann", ...args);
  for (const [what, args, output] of allowed) {
    const { code, stdout, stderr } = await ann("run", ...args);
    assert.deepEqual([code, stdout], [0, output], `${what}: ${stderr}`);
  }
  const jobs = async () => (await teleport(server, "list", "--quiet")).stdout;
  const before = await jobs();
  assert.equal(before.trim().split("\n").length, allowed.length);
  for (const [what, args] of escapes) {
    const { code, stdout, stderr } = await ann("register", ...args);
    assert.deepEqual([code, stdout], [1, ""], `${what}: ${stderr}`);
    assert.match(
      stderr,
      /^teleport: (Rule "greeter\/1" does not|Invalid parameter|Missing parameter|Unknown parameter|Unexpected command)/,
    );
  }
  assert.equal(await jobs(), before);
});
