/** Tests of processes on a pseudo terminal. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { deadline, eventually } from "../../support/deadline.ts";
import { needing } from "../../support/needs.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import { PseudoTerminal } from "../../../worker/terminal/pseudo_terminal.ts";
import { bothTest, runs } from "../process/both_ways.ts";
import { MORE_THAN_A_PIPE, Source, texts } from "../process/input.ts";
import { sh, SIZE, start } from "./on_terminal.ts";

Deno.test("a process has the terminal as its streams and as its controlling terminal", async () => {
  const { ended, output } = sh(
    "for fd in 0 1 2; do test -t $fd && echo $fd; done; stty size; echo $TERM; echo err >&2; : </dev/tty && echo own",
  );
  assert.equal((await ended).state, "EXITED");
  assert.equal(output.text.stderr, "");
  assert.deepEqual(output.text.stdout.split("\r\n"), ["0", "1", "2", "24 80", "xterm-256color", "err", "own", ""]);
});

Deno.test("a process on a terminal inherits no descriptor of another terminal", async () => {
  const other = sh("echo up; read line");
  await other.output.has("up");
  const { ended, output } = sh("ls -l /proc/self/fd");
  await ended;
  assert.doesNotMatch(output.text.stdout, /ptmx/);
  await other.type("\n");
  await other.ended;
});

Deno.test("the environment of a process on a terminal can name another TERM", async () => {
  const { ended, output } = sh("echo $TERM", { env: { TERM: "vt100" } });
  await ended;
  assert.equal(output.text.stdout, "vt100\r\n");
});

Deno.test("Process.input is the keyboard: the terminal shows the keys, and the program gets lines", async () => {
  const { type, ended, output } = sh('read line; echo "got $line"');
  await type("hällo\n");
  await ended;
  assert.equal(output.text.stdout, "hällo\r\ngot hällo\r\n");
});

Deno.test("keys that come before the program runs are shown once", async () => {
  for (let round = 0; round < 20; round++) {
    const { type, ended, output } = sh("read line; echo done");
    await type("early\n");
    assert.equal((await ended).state, "EXITED");
    assert.equal(output.text.stdout, "early\r\ndone\r\n");
  }
});

Deno.test("the end of the input is the end of a file for a program on a terminal, also within a line", async () => {
  for (const keys of [[], ["a line\n"], ["half a line"]]) {
    const { process, ended, output } = sh("cat; echo end");
    await process.input?.accept(texts(...keys, "end"));
    assert.equal((await ended).state, "EXITED");
    assert.match(output.text.stdout, /end\r\n$/);
    assert.deepEqual(process.input?.state, { bytes: keys.join("").length, closed: true });
  }
});

Deno.test("Ctrl-C and Ctrl-\\ reach the foreground group", async () => {
  for (const [key, signal] of [["\x03", "SIGINT"], ["\x1c", "SIGQUIT"]] as const) {
    const { type, ended, output } = sh("echo up; exec sleep 60");
    await output.has("up");
    await type(key);
    const status = await ended;
    assert.ok(status.state === "KILLED" && status.signal === signal && status.reason === "SIGNALED");
  }
});

Deno.test("keys that the program does not read wait, and a stop ends the wait", async () => {
  const { process, ended, output } = sh("stty raw -echo; echo up; exec sleep 1000");
  await output.has("up");
  const source = new Source();
  const written = process.input?.accept(source);
  await source.give({ data: MORE_THAN_A_PIPE });
  await eventually(() => process.input?.state.bytes === MORE_THAN_A_PIPE.length, "the chunk to be accepted");
  await process.stop();
  await ended;
  assert.equal((await deadline(written!)).closed, true);
});

Deno.test("Process.resize() sets the size, and a program gets SIGWINCH", async () => {
  const { process, ended, output } = sh("trap 'stty size' WINCH; echo up; while :; do sleep 60 & wait $!; done");
  await output.has("up");
  process.resize({ columns: 132, rows: 43 });
  await output.has("43 132\r\n");
  process.resize({ columns: 1, rows: 1 });
  await output.has("1 1\r\n");
  process.resize({ columns: 10_000, rows: 10_000 });
  await output.has("10000 10000\r\n");
  await process.stop();
  await ended;
});

Deno.test("Process.resize() can change the size very often", async () => {
  const { process, type, ended, output } = sh("echo up; read line; stty size");
  await output.has("up");
  for (let columns = 1; columns <= 1_000; columns++) process.resize({ columns, rows: 10 });
  await type("\n");
  await ended;
  assert.match(output.text.stdout, /10 1000\r\n$/);
});

Deno.test("a size out of range is refused", () => {
  const sizes = [[0, 24], [80, 0], [10_001, 24], [80, 10_001], [-1, 24], [1.5, 24], [NaN, 24], ["80", 24]];
  for (const [columns, rows] of sizes as [number, number][]) {
    const terminal = { columns, rows };
    assert.throws(() => new Process("true", [], { terminal }), { code: "INVALID_ARGUMENT", message: /^'terminal\./ });
  }
});

Deno.test("a failed start on a terminal has the same code and text as one without, and no output", async () => {
  const script = await Deno.makeTempFile({ prefix: "teleport-test-" });
  await Deno.writeTextFile(script, "#!/no/such/interpreter\n");
  await Deno.chmod(script, 0o755);
  const busy = await Deno.makeTempFile({ prefix: "teleport-test-" });
  await Deno.copyFile("/bin/true", busy);
  await Deno.chmod(busy, 0o755);
  const cases: [string, ProcessOptions][] = [
    ["no-such-program", {}],
    [script, {}],
    ["true", { cwd: "/no/such/directory" }],
    [busy, {}],
  ];
  using _writer = await Deno.open(busy, { write: true });
  for (const [command, options] of cases) {
    const { ended, output } = start(command, [], options);
    const status = await ended;
    const plain = await new Process(command, [], options).start();
    assert.ok(status.state === "FAILED" && plain.state === "FAILED");
    assert.deepEqual([status.errorCode, status.error], [plain.errorCode, plain.error]);
    assert.equal(output.text.stdout, "");
  }
  await Deno.remove(script);
  await Deno.remove(busy);
});

Deno.test("output that nobody reads stops the program, and is complete in the end", async () => {
  const lines = 100_000;
  const gate = Promise.withResolvers<void>();
  let bytes = 0;
  let calls = 0;
  const append = async (_: unknown, chunk: Uint8Array) => {
    calls++;
    await gate.promise;
    bytes += chunk.length;
  };
  const { process, ended } = start("seq", [`${lines}`], { output: { append } });
  await eventually(() => {
    const { status } = process;
    // In the state S the program waits, because the terminal is full.
    return calls === 1 && status.state === "RUNNING" && / S /.test(Deno.readTextFileSync(`/proc/${status.pid}/stat`));
  }, "the program to wait");
  assert.equal(calls, 1);
  gate.resolve();
  assert.equal((await ended).state, "EXITED");
  assert.equal(bytes, 588_895 + lines);
});

Deno.test("what a program writes just before its end is kept", async () => {
  const gate = Promise.withResolvers<void>();
  let bytes = 0;
  const append = async (_: unknown, chunk: Uint8Array) => {
    await gate.promise;
    bytes += chunk.length;
  };
  const { process, ended } = start("head", ["-c", "7000", "/dev/zero"], { output: { append } });
  const ranOut = () => process.status.state === "RUNNING" && !runs(process.status.pid);
  await eventually(ranOut, "the exit of the program");
  gate.resolve();
  await ended;
  assert.equal(bytes, 7_000);
});

Deno.test("the number of terminals is limited, and a closed one is free again", async () => {
  const terminals: PseudoTerminal[] = [];
  try {
    for (let count = 0; count < 256; count++) terminals.push(new PseudoTerminal(SIZE));
    assert.throws(() => new PseudoTerminal(SIZE), { code: "HOST_EXHAUSTED" });
    const process = new Process("true", [], { terminal: SIZE });
    await assert.rejects(process.start(), { code: "HOST_EXHAUSTED" });
    assert.ok(process.isInitialState);
    await terminals.pop()?.close();
    assert.equal((await process.start()).state, "EXITED");
  } finally {
    await Promise.all(terminals.map((terminal) => terminal.close()));
  }
});

Deno.test(needing(["root", "nobody", "setpriv"], "a terminal belongs to the user of its job"), async () => {
  const { ended, output } = start("sh", ["-c", 'stat -c "%U %a" "$(tty)"; id -un; echo hi >/dev/tty'], {
    user: "nobody",
  });
  const status = await ended;
  assert.equal(status.state, "EXITED", JSON.stringify(status));
  assert.match(output.text.stdout, /^nobody 6[02]0\r\nnobody\r\nhi\r\n$/);
});

bothTest("a terminal works together with the other steps of a launch", async (sh) => {
  const script = 'umask; ulimit -n; nice; tty >/dev/null && echo "$A=b"; echo up; read line';
  const options = { umask: 0o077, rlimits: { openFiles: 99 }, nice: 3, env: { "A": "a", "b-c": "d" } };
  const { process, output } = sh(script, { terminal: SIZE, ...options });
  const ended = process.start();
  await output.has("up");
  assert.match(output.text.stdout, /^0077\r\n99\r\n[0-9]+\r\na=b\r\nup\r\n$/);
  await process.input?.accept(texts("\n"));
  assert.equal((await deadline(ended)).state, "EXITED");
});
