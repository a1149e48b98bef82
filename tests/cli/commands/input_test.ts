/** `teleport input`, and the standard input of `teleport run`. */
import assert from "node:assert/strict";
import type { JobWorkerClient, Sent } from "../../../proto/service.ts";
import type { InputRequest, JobRequest, JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, jobStatus, outputOf, running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport, untilAborted } from "../../support/fake_io.ts";

/** A server with one job that has an input. The job takes a number of bytes, then ends with its exit code. */
class FakeJob {
  text = "";
  isClosed = false;
  /** The job ends when its input has this number of bytes, or ended. */
  mostBytes = Infinity;
  refusal: Error | undefined;
  registered: Sent<JobRequest> | undefined;
  inputs = 0;
  exitCode = 7;
  /** The end of the job arrives before the answer to its last input. */
  answersLate = false;
  readonly ended = Promise.withResolvers<JobStatus>();

  readonly calls: Partial<JobWorkerClient> = {
    Register: (request) => {
      this.registered = request;
      return Promise.resolve(jobStatus({ input: request.input ?? false }));
    },
    Start: async function* (this: FakeJob, _: unknown, options?: { signal?: AbortSignal }) {
      yield jobStatus({ state: "STATE_STARTING" });
      yield running();
      yield await Promise.race([this.ended.promise, untilAborted(options?.signal)]);
    }.bind(this),
    GetOutput: async function* (this: FakeJob, _: unknown, options?: { signal?: AbortSignal }) {
      yield* await outputOf([], await Promise.race([this.ended.promise, untilAborted(options?.signal)]));
    }.bind(this),
    Status: () => Promise.resolve({ ...running(), input: true, input_bytes: this.text.length }),
    Input: (messages, options) => Promise.race([this.#input(messages), untilAborted(options?.signal)]),
  };

  async #input(messages: AsyncIterable<Sent<InputRequest>>) {
    this.inputs += 1;
    if (this.refusal !== undefined) throw this.refusal;
    const before = this.text.length;
    for await (const { data = new Uint8Array(), end = false } of messages) {
      this.text += new TextDecoder().decode(data as Uint8Array).slice(0, this.mostBytes - this.text.length);
      this.isClosed ||= end || this.text.length >= this.mostBytes;
      if (this.isClosed) break;
    }
    if (this.isClosed) this.ended.resolve(exited(this.exitCode));
    if (this.answersLate) await new Promise(() => {});
    const { length } = this.text;
    return { input_bytes: length, taken_bytes: length - before, input_closed: this.isClosed };
  }
}

Deno.test("teleport run --stdin sends the standard input to its end and exits with the job's code", async () => {
  for (const option of ["-i", "--stdin"]) {
    const job = new FakeJob();
    const io = new FakeIo(job.calls);
    io.stdin.send("one ", "two", null);
    assert.equal(await teleport(io, "run", option, "--", "cat"), 7);
    assert.equal(job.registered?.input, true);
    assert.deepEqual([job.text, job.isClosed, io.stderr.text], ["one two", true, ""]);
  }
});

Deno.test("teleport run does not read its standard input without --stdin", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  io.stdin.send("not for the job", null);
  job.ended.resolve(exited(0));
  assert.equal(await teleport(io, "run", "cat"), 0);
  assert.deepEqual([job.registered?.input, job.inputs, io.stdin.reads], [undefined, 0, 0]);
});

Deno.test("teleport run --stdin exits with the job's code when the job ended before it read everything", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.mostBytes = 3;
  io.stdin.send("one two three"); // The input stays open.
  assert.equal(await teleport(io, "run", "-i", "head"), 7);
  assert.deepEqual([job.text, io.stderr.text], ["one", ""]);
});

Deno.test("teleport run --stdin exits with the job's code when its standard input stays quiet", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.ended.resolve(exited(3));
  assert.equal(await teleport(io, "run", "-i", "true"), 3);
  assert.equal(io.stderr.text, "");
});

Deno.test("teleport run --stdin ignores that the job ended before the input arrived", async () => {
  for (const code of ["JOB_NOT_RUNNING", "INPUT_CLOSED"]) {
    const job = new FakeJob();
    const io = new FakeIo(job.calls);
    job.refusal = Object.assign(new FakeCallError("FAILED_PRECONDITION"), { code });
    queueMicrotask(() => job.ended.resolve(exited(3)));
    assert.equal(await teleport(io, "run", "-i", "true"), 3);
    assert.equal(io.stderr.text, "");
  }
});

Deno.test("teleport run --stdin fails when the input cannot be sent, and says that the job may still run", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.refusal = Object.assign(new FakeCallError("PERMISSION_DENIED", "Not yours"), { code: "PERMISSION_DENIED" });
  assert.equal(await teleport(io, "run", "-i", "cat"), 1);
  assert.match(io.stderr.text, /may still run.*\n.*Not yours/);
});

for (const [jobCode, code] of [[0, 1], [7, 7]] as const) {
  Deno.test(`teleport run --stdin exits ${code} when its input cannot be read and the job exits ${jobCode}`, async () => {
    for (const answersLate of [false, true]) {
      const job = new FakeJob();
      job.exitCode = jobCode;
      job.answersLate = answersLate;
      const io = new FakeIo(job.calls);
      io.stdin.send(new Error("Is a directory"));
      assert.equal(await teleport(io, "run", "-i", "cat"), code, `answersLate: ${answersLate}`);
      assert.match(io.stderr.text, /Cannot read the standard input: Is a directory: the job's input ends there/);
    }
  });
}

Deno.test("teleport input exits 1 when its input cannot be read, and ends the job's input", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  io.stdin.send("half", new Error("Input/output error"));
  assert.equal(await teleport(io, "input", "job-1"), 1);
  assert.equal(io.stderr.text, "teleport: Cannot read the standard input: Input/output error\n");
});

Deno.test("teleport run --detach --stdin and register --stdin send nothing yet", async () => {
  for (const words of [["run", "-d", "-i"], ["register", "--stdin"]]) {
    const job = new FakeJob();
    const io = new FakeIo(job.calls);
    io.stdin.send("later", null);
    assert.equal(await teleport(io, ...words, "cat"), 0);
    assert.deepEqual([job.registered?.input, job.inputs, io.stdin.reads], [true, 0, 0]);
  }
});

Deno.test("teleport input sends the standard input and ends the job's input", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  io.stdin.send("all", null);
  assert.equal(await teleport(io, "input", "job-1"), 0);
  assert.deepEqual([job.text, job.isClosed, io.stdout.text, io.stderr.text], ["all", true, "", ""]);
});

Deno.test("teleport input --keep-open leaves the input open for more", async () => {
  const job = new FakeJob();
  for (const text of ["one ", "two"]) {
    const io = new FakeIo(job.calls);
    io.stdin.send(text, null);
    assert.equal(await teleport(io, "input", "--keep-open", "job-1"), 0);
  }
  assert.deepEqual([job.text, job.isClosed], ["one two", false]);
});

Deno.test("teleport input --output json prints the totals", async () => {
  const job = new FakeJob();
  job.text = "before ";
  const io = new FakeIo(job.calls);
  io.stdin.send("now", null);
  assert.equal(await teleport(io, "input", "--output", "json", "job-1"), 0);
  assert.deepEqual(JSON.parse(io.stdout.text), { id: "job-1", sent_bytes: 3, input_bytes: 10, input_closed: true });
});

Deno.test("teleport input fails when the job did not take everything", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.mostBytes = 2;
  io.stdin.send("all", null);
  assert.equal(await teleport(io, "input", "job-1"), 1);
  assert.equal(io.stderr.text, 'teleport: Job "job-1" took 2 bytes and no more: it has ended or closed its input\n');
});

Deno.test("teleport input prints why it is refused", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.refusal = Object.assign(new FakeCallError("FAILED_PRECONDITION", "No input"), { code: "NO_INPUT" });
  assert.equal(await teleport(io, "input", "job-1"), 1);
  assert.equal(io.stderr.text, "teleport: No input\n");
});

Deno.test("teleport input needs an id", async () => {
  const io = new FakeIo();
  assert.equal(await teleport(io, "input"), 2);
});
