/** Tests of worker/process/pipe_size.ts: busy pipes get larger, and only those of this process's jobs. */
import "../../support/plain_start.ts";
import assert from "node:assert/strict";
import { closeSync, constants, openSync } from "node:fs";
import { openLibc } from "../../../base/libc.ts";
import { PIPE_BYTES, WIDE_PIPE_BYTES, widenPipe } from "../../../worker/process/pipe_size.ts";
import { Process } from "../../../worker/process/process.ts";
import { Sink } from "../../support/sink.ts";

/** Returns the capacity of a pipe of a process: F_GETPIPE_SZ of fcntl(2). */
function capacity(pid: number, descriptor: number): number {
  const library = openLibc({ fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" } });
  const own = openSync(`/proc/${pid}/fd/${descriptor}`, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    return library.symbols.fcntl(own, 1032, 0);
  } finally {
    closeSync(own);
    library.close();
  }
}

/** A process with pipes, which ends when it is disposed of. */
class Piped implements AsyncDisposable {
  readonly child: Deno.ChildProcess;

  constructor(script = "exec sleep 1000") {
    this.child = new Deno.Command("sh", { args: ["-c", script], stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
  }

  get pid(): number {
    return this.child.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = this;
    child.kill();
    await Promise.all([child.stdin.close(), child.stdout.cancel(), child.stderr.cancel(), child.status]);
  }
}

/** Waits for the first line on standard error. */
async function firstLine({ child: { stderr } }: Piped): Promise<string> {
  const reader = stderr.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return new TextDecoder().decode(value).trim();
}

Deno.test("widenPipe() enlarges the pipe of each output", async () => {
  await using child = new Piped();
  for (const descriptor of [1, 2] as const) {
    assert.equal(capacity(child.pid, descriptor), PIPE_BYTES);
    using _wide = widenPipe(child.pid, descriptor) ?? assert.fail(`It has not enlarged ${descriptor}`);
    assert.equal(capacity(child.pid, descriptor), WIDE_PIPE_BYTES);
  }
});

Deno.test("widenPipe() leaves files, pipes of others and missing processes as they are", async () => {
  // A shell that prints to another descriptor would have that as its standard output for a moment, so cat prints.
  // The first program writes to a pipe that this process does not have.
  await using other = new Piped("sh -c 'echo $$ | cat >&2; exec cat' | cat");
  const pid = Number(await firstLine(other));
  assert.equal(widenPipe(pid, 1), undefined);
  assert.equal(capacity(pid, 1), PIPE_BYTES);
  await using file = new Piped("exec >/dev/null; echo up | cat >&2; exec sleep 1000");
  await firstLine(file);
  assert.equal(widenPipe(file.pid, 1), undefined);
  assert.equal(widenPipe(2 ** 30, 1), undefined);
});

Deno.test("widenPipe() enlarges a bounded number of pipes", async () => {
  await using stack = new AsyncDisposableStack();
  const children = Array.from({ length: 33 }, () => stack.use(new Piped()));
  const widened = children.flatMap(({ pid }) => ([1, 2] as const).map((fd) => stack.use(widenPipe(pid, fd))));
  assert.deepEqual(widened.map((wide) => wide !== undefined), widened.map((_, index) => index < 64));
  const last = children.at(-1)?.pid ?? 0;
  widened[0]?.[Symbol.dispose]();
  widened[0]?.[Symbol.dispose]();
  assert.ok(stack.use(widenPipe(last, 1)) !== undefined);
  assert.equal(widenPipe(last, 2), undefined);
});

Deno.test("Process enlarges the pipe of a job that writes much, and no other, and every byte arrives", async () => {
  const output = new Sink();
  const script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo $$; exec sleep 1000";
  const process = new Process("sh", ["-c", script], { output });
  const ended = process.start();
  const [zeros = "", pid = ""] = await output.lines(2);
  assert.equal(zeros, "x".repeat(3_000_000));
  assert.equal(capacity(Number(pid), 1), WIDE_PIPE_BYTES);
  assert.equal(capacity(Number(pid), 2), PIPE_BYTES);
  await process.stop();
  await ended;
});

Deno.test("Process keeps the pipe of a quiet job as it is", async () => {
  const output = new Sink();
  const process = new Process("sh", ["-c", "head -c 60000 /dev/zero; echo; echo $$; exec sleep 1000"], { output });
  const ended = process.start();
  const [, pid] = await output.lines(2);
  assert.equal(capacity(Number(pid), 1), PIPE_BYTES);
  await process.stop();
  await ended;
});
