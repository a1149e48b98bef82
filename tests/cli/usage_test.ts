/** The command line: help, usage errors, and the places of options. */
import assert from "node:assert/strict";
import { main } from "../../cli/main.ts";
import { VERSION } from "../../cli/version.ts";
import { exited, jobStatus } from "../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../support/fake_io.ts";

Deno.test("teleport --help prints the usage and every command to stdout", async () => {
  const io = new FakeIo();
  assert.equal(await main(["--help"], {}, io), 0);
  assert.ok(io.stdout.text.startsWith("Usage: teleport [OPTIONS] COMMAND [ARG...]\n"));
  const commands = "register start run stop signal pause resume status watch logs list wait rm whoami";
  for (const command of commands.split(" ")) assert.match(io.stdout.text, new RegExp(`^  ${command} `, "m"));
  assert.equal(io.stderr.text, "");
  assert.equal(io.connections.length, 0);
});

for (const args of [["run", "--help"], ["help", "run"]]) {
  Deno.test(`teleport ${args.join(" ")} prints the help of run`, async () => {
    const io = new FakeIo();
    assert.equal(await main(args, {}, io), 0);
    assert.match(io.stdout.text, /^Usage: teleport run \[OPTIONS\] COMMAND \[ARG\.\.\.\]\n/);
    assert.match(io.stdout.text, /--env <NAME=VALUE>/);
  });
}

Deno.test("teleport list --help names every state that --state takes", async () => {
  const io = new FakeIo();
  assert.equal(await main(["list", "--help"], {}, io), 0);
  const words = io.stdout.text.replaceAll(/\s+/g, " ");
  assert.match(words, /this state: INITIAL, STARTING, RUNNING, STOPPING, EXITED, KILLED, FAILED, LOST; repeatable/);
});

for (
  const [command, advice] of [["rerun", "run --like ID COMMAND"], ["cp", "begins at the directory of jobs"]] as const
) {
  Deno.test(`teleport ${command} --help has the advice "${advice}"`, async () => {
    const io = new FakeIo();
    assert.equal(await main([command, "--help"], {}, io), 0);
    assert.ok(io.stdout.text.includes(advice));
  });
}

Deno.test("teleport --version prints the version of the project", async () => {
  const io = new FakeIo();
  assert.equal(await main(["--version"], {}, io), 0);
  const project = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assert.equal(VERSION, project.version);
  assert.equal(io.stdout.text, `${VERSION}\n`);
});

Deno.test("teleport without a command prints the help to stderr and exits 2", async () => {
  const io = new FakeIo();
  assert.equal(await main([], {}, io), 2);
  assert.ok(io.stderr.text.startsWith("Usage: teleport [OPTIONS] COMMAND [ARG...]\n"));
  assert.equal(io.stdout.text, "");
});

const bad: [string[], RegExp, string][] = [
  [["bogus"], /^teleport: Unknown command "bogus"/, ""],
  [["strat", "x"], /Unknown command "strat": did you mean start\n/, ""],
  [["lst"], /Unknown command "lst": did you mean list\n/, ""],
  [["reg"], /Unknown command "reg": did you mean register\n/, ""],
  [["stat"], /Unknown command "stat": did you mean start or status\n/, ""],
  [["zzz"], /Unknown command "zzz"\n/, ""],
  [["run", "--volume", "x", "true"], /Unknown option "--volume"\n/, "run "],
  [["run", "--cdw", "/", "true"], /Unknown option "--cdw": did you mean --cwd\n/, "run "],
  [["list", "--adress", "a:1"], /Unknown option "--adress": did you mean --address\n/, "list "],
  [["--bogus", "list"], /Unknown option "--bogus"\n/, ""],
  [["list", "--bogus"], /Unknown option "--bogus"\n/, "list "],
  [["run", "--bogus", "true"], /Unknown option "--bogus"\n/, "run "],
  [["run"], /Missing required argument "COMMAND"\n/, "run "],
  [["wait", "-l", "a=b", "c"], /Ids and filters exclude each other/, "wait "],
  [["status"], /Missing jobs: give ids, names, or filters/, "status "],
  [["stop"], /Missing jobs: give ids, names, or filters/, "stop "],
  [["signal", "x"], /Missing required argument "SIGNAL"\n/, "signal "],
  [["status", "a", "-l", "b=c"], /Ids and filters exclude each other/, "status "],
  [["stop", "a", "--state", "lost"], /Ids and filters exclude each other/, "stop "],
  [["kill"], /Missing jobs: give ids, names, or filters/, "kill "],
  [["start", "a", "b"], /Too many arguments for "start"/, "start "],
  [["whoami", "a"], /Too many arguments/, "whoami "],
  [["run", "--timeout"], /Option "--timeout <DURATION>" needs a value\n/, "run "],
  [["run", "--timeout", "5", "true"], /Invalid duration "5" for --timeout: a unit is missing/, "run "],
  [["run", "--timeout", "0", "true"], /Invalid duration "0" for --timeout: give 1ms to 596h, such as "1h30m" /, "run "],
  [["run", "--memory", "0", "true"], /--memory: give a size from 1 MiB, such as "100MB" or "1GiB"\n/, "run "],
  [["run", "--ulimit", "as=0", "true"], /--ulimit as: give a size from 1 KiB, such as "500k", "100MB" or /, "run "],
  [["run", "--ulimit", "nofile=5", "true"], /"5" for --ulimit nofile: give an integer from 20\n/, "run "],
  [["run", "--cpus", "x", "true"], /"x" for --cpus: give a number from 0\.01 to 65536, such as 1\.5\n/, "run "],
  [["run", "--nice", "05", "true"], /Invalid value "05" for --nice/, "run "],
  [["list", "--limit", "05"], /Invalid value "05" for --limit/, "list "],
  [["logs", "--tail", "x", "id"], /Invalid value "x" for --tail: give an integer from 0 to/, "logs "],
  [["stop", "--grace", "x", "id"], /Invalid duration "x" for --grace: give 0s to 1h, such as "30s" /, "stop "],
  [["run", "--env", "FOO", "true"], /Invalid value "FOO" for --env: give NAME=VALUE\n/, "run "],
  [["run", "--label", "x", "true"], /Invalid value "x" for --label: give KEY=VALUE\n/, "run "],
  [["list", "--label", "=x"], /Invalid value "=x" for --label: give KEY=VALUE\n/, "list "],
  [["list", "--state", "dead"], /Unknown state "dead" for --state: give one of INITIAL, /, "list "],
  [["list", "--limit", "0"], /Invalid value "0" for --limit: give an integer from 1 to/, "list "],
  [["list", "--limit", "many"], /Invalid value "many" for --limit/, "list "],
  [["--output", "xml", "list"], /Unknown format "xml" for --output/, ""],
  [["--address", "nowhere", "list"], /Invalid address "nowhere": give HOST:PORT/, "list "],
  [["--identity", "../x", "list"], /Invalid identity "\.\.\/x"/, "list "],
];
for (const [args, sentence, command] of bad) {
  Deno.test(`teleport ${args.join(" ")} prints one sentence and exits 2`, async () => {
    const io = new FakeIo();
    assert.equal(await teleport(io, ...args), 2);
    assert.match(io.stderr.text, sentence);
    const lines = io.stderr.text.split("\n");
    assert.deepEqual(lines.slice(1), [`See "teleport ${command}--help"`, ""]);
    assert.equal(io.stdout.text, "");
    assert.equal(io.connections.length, 0);
  });
}

const places: string[][] = [
  ["--address", "h:1", "--output", "json", "status", "job-1"],
  ["status", "--address", "h:1", "--output", "json", "job-1"],
  ["status", "job-1", "--output=json", "--address=h:1"],
];
for (const args of places) {
  Deno.test(`teleport ${args.join(" ")} accepts the common options in any place`, async () => {
    const io = new FakeIo({ Status: () => Promise.resolve(exited(0)) });
    assert.equal(await teleport(io, ...args), 0);
    assert.equal(io.connections[0]?.address, "h:1");
    assert.equal(JSON.parse(io.stdout.text).state, "EXITED");
  });
}

Deno.test("teleport prefers an option after the command to one before it", async () => {
  const io = new FakeIo({ Status: () => Promise.resolve(exited(0)) });
  await teleport(io, "--address", "a:1", "status", "--address", "b:2", "job-1");
  assert.equal(io.connections[0]?.address, "b:2");
});

const commands: [string, string[], { command: string; args: string[] }][] = [
  ["options of the job's command", ["sh", "-c", "x", "--help"], { command: "sh", args: ["-c", "x", "--help"] }],
  ["-- before the command", ["--", "cmd", "-d", "--"], { command: "cmd", args: ["-d", "--"] }],
  ["-- behind the command", ["cmd", "--", "-d"], { command: "cmd", args: ["--", "-d"] }],
  ["a command that begins with -", ["--", "-x", "y"], { command: "-x", args: ["y"] }],
  ["empty and spaced arguments", ["cmd", "", " a  b "], { command: "cmd", args: ["", " a  b "] }],
  ["options named as the common ones", ["cmd", "--output", "json"], { command: "cmd", args: ["--output", "json"] }],
  ["an option, then --", ["--cwd", "/", "--", "ls", "-l"], { command: "ls", args: ["-l"] }],
];
for (const verb of ["register", "run"]) {
  for (const [what, args, wanted] of commands) {
    Deno.test(`teleport ${verb} keeps the job's arguments unchanged: ${what}`, async () => {
      let asked: { command?: unknown; args?: unknown } = {};
      const io = new FakeIo({
        Register: (request) => {
          asked = request;
          return Promise.reject(new FakeCallError("PERMISSION_DENIED"));
        },
      });
      assert.equal(await teleport(io, verb, ...args), 1);
      assert.deepEqual({ command: asked.command, args: asked.args }, wanted);
    });
  }
}

Deno.test("teleport opens the connection with the certificates of the identity and closes it", async () => {
  const io = new FakeIo({ Status: () => Promise.resolve(jobStatus()) });
  await teleport(io, "status", "job-1");
  assert.deepEqual(io.connections, [{
    address: "127.0.0.1:50051",
    credentials: { ca: "ca.crt", cert: "admin.crt", key: "admin.key" },
  }]);
  assert.equal(io.closed, 1);
});

Deno.test("teleport closes the connection when the call fails", async () => {
  const io = new FakeIo({ Status: () => Promise.reject(new FakeCallError("NOT_FOUND", "Unknown job")) });
  assert.equal(await teleport(io, "status", "x"), 1);
  assert.equal(io.stderr.text, "teleport: Unknown job\n");
  assert.equal(io.closed, 1);
});

Deno.test("teleport without certificates names the missing file and exits 255", async () => {
  const io = new FakeIo();
  assert.equal(await main(["list", "--certs", "/nonexistent"], {}, io), 255);
  assert.match(
    io.stderr.text,
    /^teleport: Cannot read "\/nonexistent\/ca\.crt": no such file or directory \(ENOENT\): "\/nonexistent"/,
  );
});

Deno.test("teleport exits 255 when the server cannot be reached", async () => {
  const io = new FakeIo({ List: () => Promise.reject(new FakeCallError("UNAVAILABLE", "Cannot reach h:1")) });
  assert.equal(await teleport(io, "list"), 255);
});

Deno.test("teleport exits 141 without a message when the reader of its output closed it", async () => {
  const io = new FakeIo({ Status: () => Promise.resolve(jobStatus()) });
  io.stdout.failure = new Deno.errors.BrokenPipe("x");
  assert.equal(await teleport(io, "status", "job-1"), 141);
  assert.equal(io.stderr.text, "");
});

Deno.test("teleport --help exits 141 without a message when its reader closed the output", async () => {
  const io = new FakeIo();
  io.stdout.failure = new Deno.errors.BrokenPipe("x");
  assert.equal(await main(["--help"], {}, io), 141);
});

Deno.test("teleport exits 1 when its output cannot be written", async () => {
  const io = new FakeIo({ Status: () => Promise.resolve(jobStatus()) });
  io.stdout.failure = new Error("No space left on device");
  assert.equal(await teleport(io, "status", "job-1"), 1);
  assert.match(io.stderr.text, /Cannot write to the standard output: No space left on device/);
});

for (
  const [typed, meant] of [["config", "context"], ["exec", "run"], ["delete", "rm"], ["shell", "run"]] as const
) {
  Deno.test(`teleport ${typed} suggests ${meant}, which means it`, async () => {
    const io = new FakeIo();
    assert.equal(await teleport(io, typed), 2);
    assert.match(io.stderr.text, new RegExp(`Unknown command "${typed}": did you mean ${meant}\n`));
  });
}

Deno.test("teleport help COMMAND shows the options of the command in groups", async () => {
  const io = new FakeIo();
  assert.equal(await teleport(io, "help", "run"), 0);
  for (const heading of ["Limits:", "Output:", "Time:", "User and isolation:", "Input and terminal:"]) {
    assert.match(io.stdout.text, new RegExp(`^${heading}\n  -`, "m"));
  }
});
