/** Tests of the start, the output and the end of a process. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { deadline, eventually } from "../../support/deadline.ts";
import { LimitReachedError } from "../../../worker/errors.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import type { OutputSink } from "../../../worker/process/pump.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { Sink } from "../../support/sink.ts";

function sh(script: string, options: ProcessOptions = {}): { process: Process; output: Sink; id: string } {
  const output = new Sink();
  const id = crypto.randomUUID();
  return { process: new Process("sh", ["-c", script], { id, output, ...options }), output, id };
}

async function end(process: Process): Promise<ProcessStatus> {
  return await process.start();
}

Deno.test("Process.start() resolves with the exit code when both streams are complete", async () => {
  const { process, output } = sh("printf out; printf err >&2; exit 7");
  assert.ok(process.isInitialState);
  const started = process.start();
  assert.ok(process.isRunningState);
  const status = await started;
  assert.ok(process.isFinalState);
  assert.ok(status.state === "EXITED" && status.exitCode === 7 && status.reason === "EXITED");
  assert.deepEqual(output.text, { stdout: "out", stderr: "err" });
  assert.equal(await process.start(), status);
});

Deno.test("Process.subscribe() calls the listener for every change", async () => {
  const { process } = sh("exit 0");
  const states: string[] = [];
  process.subscribe(({ state }) => states.push(state));
  await process.start();
  assert.deepEqual(states, ["STARTING", "RUNNING", "EXITED"]);
});

Deno.test("Process.start() returns a code for each kind of failed start", async () => {
  const script = await Deno.makeTempFile({ prefix: "teleport-test-" });
  await Deno.writeTextFile(script, "#!/no/such/interpreter\n");
  await Deno.chmod(script, 0o755);
  const cases: readonly (readonly [Process, string])[] = [
    [new Process("no-such-program"), "COMMAND_NOT_FOUND"],
    [new Process("/etc/passwd"), "NOT_EXECUTABLE"],
    [new Process("/tmp"), "NOT_EXECUTABLE"],
    [new Process(script), "NOT_EXECUTABLE"],
    [new Process("true", [], { cwd: "/no/such/directory" }), "CWD_NOT_FOUND"],
    [new Process("true", [], { cwd: "/etc/passwd" }), "CWD_NOT_FOUND"],
  ];
  for (const [process, code] of cases) {
    const status = await end(process);
    assert.ok(status.state === "FAILED", code);
    assert.equal(status.errorCode, code);
    assert.equal(status.reason, "START_FAILED");
    assert.match(status.error, /^[A-Z].*[^.]$/);
  }
  await Deno.remove(script);
});

Deno.test("Process.start() passes arguments, environment and directory unchanged", async () => {
  const args = ["", " ", "a b", '"', "$HOME", "\n", "*", "é\u{1f600}", "--"];
  const output = new Sink();
  const process = new Process("sh", [
    "-c",
    'pwd; env | sort; for a in "$@"; do printf "[%s]" "$a"; done',
    "sh",
    ...args,
  ], {
    cwd: "/usr",
    env: { ONE: "1", LANG: "C" },
    id: "mark",
    output,
  });
  await process.start();
  const text = output.text.stdout;
  assert.ok(text.startsWith("/usr\n"));
  assert.ok(text.endsWith(args.map((arg) => `[${arg}]`).join("")));
  const names = text.split("\n").map((line) => line.split("=")[0]).filter((name) => /^[A-Z_]+$/.test(name ?? ""));
  // The shell sets PWD.
  assert.deepEqual(names.filter((name) => name !== "PWD"), ["HOME", "LANG", "ONE", "PATH", "TELEPORT_ID"]);
});

Deno.test("Process.start() slows the process down when its sink is slow", async () => {
  const release = Promise.withResolvers<void>();
  let bytes = 0;
  const first = Promise.withResolvers<void>();
  const output: OutputSink = {
    async append(_stream, chunk) {
      bytes += chunk.length;
      first.resolve();
      await release.promise;
    },
  };
  const marker = await Deno.makeTempFile({ prefix: "teleport-test-" });
  const process = new Process("sh", ["-c", `head -c 1000000 /dev/zero; echo done > ${marker}`], { output });
  const final = process.start();
  await deadline(first.promise, "the first chunk");
  // The pipe takes at most 64 KiB and the sink took one chunk, so the writer cannot have finished.
  assert.ok(bytes <= 65_536);
  assert.equal(await Deno.readTextFile(marker), "");
  release.resolve();
  await final;
  assert.equal(bytes, 1_000_000);
  assert.equal(await Deno.readTextFile(marker), "done\n");
  await Deno.remove(marker);
});

Deno.test("Process.start() resolves although an escaped process holds the output open", async () => {
  // The escaped process clears its environment, so that nothing identifies it, and keeps the pipe.
  const { process, output } = sh("echo $$; (env -i setsid sleep 1000 & echo $!) ; sleep 0.05; exit 6");
  const status = await deadline(process.start(), "the end of the process");
  assert.ok(status.state === "EXITED" && status.exitCode === 6);
  const pid = Number(output.text.stdout.split("\n")[1]);
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // The process was found and ended.
  }
});

Deno.test("Process stops itself when its sink refuses output, with the reason", async () => {
  for (
    const [error, reason] of [
      [new LimitReachedError("Too much"), "OUTPUT_LIMIT"],
      [Object.assign(new Error("No space left on device"), { code: "ENOSPC" }), "OUTPUT_FAILED"],
    ] as const
  ) {
    const refused = Promise.withResolvers<Error>();
    const output: OutputSink = {
      append: () => {
        refused.resolve(error);
        return Promise.reject(error);
      },
      refused: refused.promise,
    };
    const process = new Process("sh", ["-c", "yes"], { output });
    const status = await process.start();
    assert.ok(status.state === "KILLED" && status.reason === reason);
    assert.ok(status.error !== undefined);
  }
});

Deno.test("Process leaves no zombie and no open descriptor when fifty run at the same time", async () => {
  const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
  await sh("exit 0").process.start();
  const before = descriptors();
  const all = Array.from({ length: 50 }, (_, index) => sh(`echo ${index}; exit ${index}`));
  const statuses = await Promise.all(all.map(({ process }) => process.start()));
  for (const [index, status] of statuses.entries()) assert.ok(status.state === "EXITED" && status.exitCode === index);
  for (const [index, { output }] of all.entries()) assert.equal(output.text.stdout, `${index}\n`);
  await eventually(() => descriptors() <= before, () => `${before} descriptors, not ${descriptors()}`);
  const children = (await Deno.readTextFile(`/proc/self/task/${Deno.pid}/children`)).trim();
  assert.equal(children, "");
});

Deno.test("Process.start() resolves with the exit code when its sink throws", async () => {
  for (
    const append of [() => Promise.reject(new Error("no")), (): Promise<void> => {
      throw new Error("no");
    }]
  ) {
    const process = new Process("sh", ["-c", "head -c 300000 /dev/zero; exit 3"], { output: { append } });
    const status = await process.start();
    assert.ok(status.state === "EXITED" && status.exitCode === 3);
  }
});

Deno.test("Process.start() gives the process no descriptor, no ignored or blocked signal, and an empty input", async () => {
  const run = async (command: string, ...args: string[]) => {
    const output = new Sink();
    await new Process(command, args, { output }).start();
    return output.text.stdout;
  };
  const file = await Deno.open("/etc/passwd"); // A descriptor of the server, such as its database.
  const open = await run("ls", "-l", "/proc/self/fd");
  file.close();
  // The children also have the descriptors that the test runner left open.
  assert.match(open, / 0 -> \/dev\/null\n/);
  assert.doesNotMatch(open, /passwd/);
  // The signals are compared with those of an ordinary child of this process. The C library uses signals 32 and 33.
  const signals = (status: string) =>
    [...status.matchAll(/^Sig(?:Blk|Ign):\t([0-9a-f]{16})$/gm)].map(([, mask]) => BigInt(`0x${mask}`) & 0x7fffffffn);
  const { stdout } = await new Deno.Command("cat", { args: ["/proc/self/status"] }).output();
  assert.deepEqual(signals(await run("cat", "/proc/self/status")), signals(new TextDecoder().decode(stdout)));
  assert.equal(await run("cat"), "");
});

Deno.test("Process.start() runs a script without an interpreter line, as execvp(3) does", async () => {
  const script = await Deno.makeTempFile({ prefix: "teleport-test-" });
  await Deno.writeTextFile(script, 'echo "$1"; exit 3\n');
  await Deno.chmod(script, 0o755);
  const output = new Sink();
  const status = await new Process(script, ["a b"], { output }).start();
  assert.ok(status.state === "EXITED" && status.exitCode === 3);
  assert.equal(output.text.stdout, "a b\n");
  await Deno.remove(script);
});

Deno.test("Process.start() passes the most and the longest arguments that are allowed", async () => {
  for (const args of [Array(65_000).fill("x".repeat(15)), Array(8).fill("x".repeat(131_000))]) {
    const output = new Sink();
    const status = await new Process("sh", ["-c", 'echo "$#"', "sh", ...args], { output }).start();
    assert.ok(status.state === "EXITED", JSON.stringify(status));
    assert.equal(output.text.stdout, `${args.length}\n`);
  }
});
