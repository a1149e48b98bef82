/** Tests of processes: start, output, signals, stop and end. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import {
  InvalidArgumentError,
  InvalidSignalError,
  JobNotRunningError,
  LimitReachedError,
} from "../../../worker/errors.ts";
import type { ProcessOptions } from "../../../worker/process/options.ts";
import { Process } from "../../../worker/process/process.ts";
import type { OutputSink } from "../../../worker/process/pump.ts";
import { MARK_VARIABLE } from "../../../worker/process/members.ts";
import { signalName } from "../../../base/signals.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { Sink } from "../../support/sink.ts";

function sh(script: string, options: ProcessOptions = {}): { process: Process; output: Sink; id: string } {
  const output = new Sink();
  const id = crypto.randomUUID();
  return { process: new Process("sh", ["-c", script], { id, output, ...options }), output, id };
}

/** Returns the pids of the living processes that carry the mark of a job. */
function living(id: string): string[] {
  return [...Deno.readDirSync("/proc")].filter(({ name }) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const environment = new TextDecoder().decode(Deno.readFileSync(`/proc/${name}/environ`));
      return environment.includes(`${MARK_VARIABLE}=${id}`);
    } catch {
      return false;
    }
  }).map(({ name }) => name);
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
  await first.promise;
  // The pipe takes at most 64 KiB and the sink took one chunk, so the writer cannot have finished.
  assert.ok(bytes <= 65_536);
  assert.equal(await Deno.readTextFile(marker), "");
  release.resolve();
  await final;
  assert.equal(bytes, 1_000_000);
  assert.equal(await Deno.readTextFile(marker), "done\n");
  await Deno.remove(marker);
});

async function endsBy(signal: string, name: string): Promise<void> {
  const { process, output } = sh("echo up; exec sleep 1000");
  const final = process.start();
  await output.has("up");
  await process.signal(signal, "ann");
  const status = await final;
  assert.ok(status.state === "KILLED" && status.signal === name && !("exitCode" in status));
  assert.equal(status.reason, "SIGNALED");
  assert.equal(status.stoppedBy, "ann");
}

Deno.test("Process.start() resolves with KILLED and no exit code when a signal ends the process", async () => {
  await endsBy("TERM", "SIGTERM");
  await endsBy("9", "SIGKILL");
});

// Deno 2.9 does not close its handle of a child that a real-time signal ended. A program cannot close it either.
Deno.test(
  "Process.start() resolves with KILLED when a real-time signal ends the process",
  { sanitizeResources: false },
  async () => {
    await endsBy("SIGRTMIN+3", "SIGRTMIN+3");
  },
);

Deno.test("Process.signal() reaches the whole group", async () => {
  const { process, output } = sh(
    // The parent sets its trap before the child exists, so "up" means that both have theirs.
    `trap "wait; echo parent; exit 3" USR1
    sh -c 'trap "echo child; exit" USR1; echo up; while :; do sleep 0.01; done' & wait`,
  );
  const final = process.start();
  await output.has("up");
  await process.signal("USR1");
  const status = await final;
  assert.ok(status.state === "EXITED" && status.exitCode === 3);
  assert.match(output.text.stdout, /child/);
});

Deno.test("Process.signal() throws for an unknown signal and for a process that is not running", async () => {
  const { process } = sh("exit 0");
  await assert.rejects(process.signal("TERM"), JobNotRunningError);
  await assert.rejects(process.signal("NOPE"), InvalidSignalError);
  await process.start();
  await assert.rejects(process.signal("TERM"), JobNotRunningError);
});

Deno.test("Process.stop() ends the whole group", async () => {
  const { process, output, id } = sh("sleep 1000 & sleep 1000 & echo up; wait");
  void process.start();
  await output.has("up");
  const status = await process.stop({ by: "ann" });
  assert.ok(status.state === "KILLED" && status.signal === "SIGTERM");
  assert.equal(status.reason, "STOPPED");
  assert.equal(status.stoppedBy, "ann");
  assert.deepEqual(living(id), []);
});

Deno.test("Process.stop() kills a process that ignores SIGTERM after the grace period", async () => {
  const { process, output, id } = sh("trap '' TERM; sleep 1000 & echo up; while :; do sleep 0.01; done");
  void process.start();
  await output.has("up");
  const begin = performance.now();
  const status = await process.stop({ graceMs: 200 });
  const tookMs = performance.now() - begin;
  assert.ok(status.state === "KILLED" && status.signal === "SIGKILL");
  assert.ok(tookMs >= 199 && tookMs < 5_000, `${tookMs}`);
  assert.deepEqual(living(id), []);
});

Deno.test("Process.stop() keeps the exit code of a process that handles SIGTERM", async () => {
  const { process, output } = sh("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done");
  void process.start();
  await output.has("up");
  const status = await process.stop();
  assert.ok(status.state === "EXITED" && status.exitCode === 5 && status.reason === "STOPPED");
  assert.match(output.text.stdout, /bye/);
});

Deno.test("Process.stop() joins an earlier stop and can only shorten its grace period", async () => {
  const { process, output } = sh("trap '' TERM; echo up; while :; do sleep 0.01; done");
  void process.start();
  await output.has("up");
  const first = process.stop({ graceMs: 60_000, by: "ann" });
  const later = process.stop({ graceMs: 3_600_000, by: "bob" });
  const second = process.stop({ graceMs: 0, by: "bob" });
  const status = await second;
  assert.equal(await first, status);
  assert.equal(await later, status);
  assert.ok("stoppedBy" in status && status.stoppedBy === "ann");
});

Deno.test("Process.stop() has no effect before the start and after the end", async () => {
  const { process } = sh("exit 4");
  assert.deepEqual(await process.stop(), { state: "INITIAL" });
  const status = await process.start();
  assert.equal(await process.stop(), status);
  await assert.rejects(process.stop({ graceMs: -1 }), InvalidArgumentError);
});

Deno.test("Process stops itself at its time limit, which remains the reason", async () => {
  const { process } = sh("exec sleep 1000", { timeoutMs: 50 });
  const status = await process.start();
  assert.ok(status.state === "KILLED" && status.reason === "TIMED_OUT");
  const patient = sh("trap '' TERM; sleep 1000 & wait; while :; do sleep 0.01; done", {
    timeoutMs: 50,
    graceMs: 60_000,
  });
  const final = patient.process.start();
  await new Promise<void>((resolve) => patient.process.subscribe(({ state }) => state === "STOPPING" && resolve()));
  await patient.process.stop({ graceMs: 0, by: "ann" });
  const late = await final;
  assert.ok("reason" in late && late.reason === "TIMED_OUT");
});

Deno.test("Process.start() resolves although an escaped process holds the output open", async () => {
  // The escaped process clears its environment, so that nothing identifies it, and keeps the pipe.
  const { process, output } = sh("echo $$; (env -i setsid sleep 1000 & echo $!) ; sleep 0.05; exit 6");
  const begin = performance.now();
  const status = await process.start();
  assert.ok(status.state === "EXITED" && status.exitCode === 6);
  assert.ok(performance.now() - begin < 10_000);
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
  assert.equal(descriptors(), before);
  const children = (await Deno.readTextFile(`/proc/self/task/${Deno.pid}/children`)).trim();
  assert.equal(children, "");
});

Deno.test("Process.stop() does not become the reason when the leader has already ended", async () => {
  const { process, output } = sh(
    "(trap '' TERM USR1; echo one; exec sleep 1000) & trap 'exit 5' USR1; echo two; while :; do sleep 0.01; done",
  );
  const final = process.start();
  await output.has("one");
  await output.has("two");
  await process.signal("USR1");
  // After its leader's exit a process accepts no signal. Its survivors are still being ended.
  await assert.rejects(async () => {
    while (true) {
      await process.signal("CONT");
      await new Promise((resolve) => setImmediate(resolve));
    }
  }, JobNotRunningError);
  assert.ok(process.isRunningState);
  const status = await process.stop({ graceMs: 0, by: "ann" });
  assert.equal(status, await final);
  assert.ok(status.state === "EXITED" && status.exitCode === 5 && status.reason === "EXITED");
  assert.equal("stoppedBy" in status, false);
});

Deno.test("Process.stop() ends a process right after its start", async () => {
  const { process, id } = sh("sleep 1000 & exec sleep 1000");
  void process.start();
  const status = await process.stop();
  assert.ok(status.state === "KILLED" && status.reason === "STOPPED");
  assert.deepEqual(living(id), []);
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

Deno.test("Process.signal() sends each signal of Linux, whose name is in the status", async () => {
  const harmless = ["SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"];
  const names = Array.from({ length: 31 }, (_, index) => signalName(index + 1) ?? "");
  await Promise.all(names.map(async (name) => {
    const { process, output } = sh("ulimit -c 0; echo up; exec sleep 1000");
    const final = process.start();
    await output.has("up");
    await process.signal(name);
    if (harmless.includes(name)) await process.signal("KILL");
    const status = await final;
    assert.ok(status.state === "KILLED", name);
    assert.equal(status.signal, harmless.includes(name) ? "SIGKILL" : name);
  }));
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
