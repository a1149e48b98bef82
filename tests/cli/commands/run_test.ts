/** `teleport run` in the foreground: streams, exit codes and signals. */
import assert from "node:assert/strict";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, jobStatus, outputOf, running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport, untilAborted } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";
import { someBytes } from "../../support/random.ts";
import { FakeJob } from "../../support/fake_job.ts";

function killedBy(signal: string): JobStatus {
  return jobStatus({ state: "STATE_KILLED", signal, reason: "REASON_SIGNALED" });
}

Deno.test("teleport run writes each stream to its own descriptor and exits with the job's code", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  const random = someBytes(2000);
  job.output = [["stdout", random], ["stderr", "\0oops"], ["stdout", "end"]];
  job.ended.resolve(exited(7));
  assert.equal(await teleport(io, "run", "true"), 7);
  assert.deepEqual(io.stdout.bytes, new Uint8Array([...random, ...new TextEncoder().encode("end")]));
  assert.equal(io.stderr.text, "\0oops");
  assert.equal(job.open, 0);
  assert.equal(io.listening, 0);
});

Deno.test("teleport run prints nothing for an empty output and a job killed by a signal", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.ended.resolve(killedBy("SIGTERM"));
  assert.equal(await teleport(io, "run", "true"), 143);
  assert.equal(io.stdout.text + io.stderr.text, "");
});

const ends: [string, Partial<JobStatus>, number, string][] = [
  [
    "not found",
    { state: "STATE_FAILED", error: 'Command "x" not found', error_code: "COMMAND_NOT_FOUND" },
    127,
    'teleport: Command "x" not found\n',
  ],
  [
    "not executable",
    { state: "STATE_FAILED", error: 'Command "x" is not executable', error_code: "NOT_EXECUTABLE" },
    126,
    'teleport: Command "x" is not executable\n',
  ],
  [
    "timed out",
    { state: "STATE_KILLED", signal: "SIGTERM", reason: "REASON_TIMED_OUT" },
    124,
    'teleport: Job "job-1" was ended: timed out\n',
  ],
  [
    "stopped by another",
    { state: "STATE_KILLED", signal: "SIGTERM", reason: "REASON_STOPPED", stopped_by: "grace" },
    143,
    'teleport: Job "job-1" was ended: stopped by grace\n',
  ],
  ["lost", { state: "STATE_LOST", error: "The server died", reason: "REASON_LOST" }, 1, "teleport: The server died\n"],
];
for (const [what, fields, code, sentence] of ends) {
  Deno.test(`teleport run exits ${code} and prints the reason when the job was ${what}`, async () => {
    const job = new FakeJob();
    const io = new FakeIo(job.calls);
    job.ended.resolve(jobStatus(fields));
    assert.equal(await teleport(io, "run", "x"), code);
    assert.equal(io.stderr.text, sentence);
  });
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`teleport run forwards ${signal} to the running job and exits with its code`, async () => {
    const job = new FakeJob();
    const io = new FakeIo(job.calls);
    job.onSignal = (name) => job.ended.resolve(killedBy(name));
    const exit = teleport(io, "run", "sleep", "1000");
    await job.started.promise;
    io.raise(signal);
    assert.equal(await exit, code);
    assert.deepEqual(job.signals, [signal]);
    assert.equal(io.stderr.text, "");
  });
}

Deno.test("teleport run exits with the code of a job that handles Ctrl-C", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.onSignal = () => job.ended.resolve(exited(3));
  const exit = teleport(io, "run", "x");
  await job.started.promise;
  io.raise("SIGINT");
  assert.equal(await exit, 3);
});

Deno.test("teleport run ends at the third signal, and says how to stop the job", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  const exit = teleport(io, "run", "x");
  await job.started.promise;
  for (let count = 0; count < 3; count++) io.raise("SIGINT");
  assert.equal(await exit, 130);
  assert.deepEqual(job.signals, ["SIGINT", "SIGINT"]);
  assert.match(io.stderr.text, /Job "job-1" may still run: .* "teleport stop job-1" stops it\n/);
  assert.equal(job.open, 0);
  assert.equal(io.listening, 0);
});

Deno.test("teleport run ends at a signal during the registration, and sends no signal", async () => {
  const asked = Promise.withResolvers<void>();
  const io = new FakeIo({
    Register: (_, options) => {
      asked.resolve();
      return untilAborted(options?.signal);
    },
  });
  const exit = teleport(io, "run", "x");
  await asked.promise;
  io.raise("SIGINT");
  assert.equal(await exit, 130);
});

Deno.test("teleport run sends an early signal when the job runs", async () => {
  const job = new FakeJob();
  const gate = Promise.withResolvers<void>();
  const starting = Promise.withResolvers<void>();
  const io = new FakeIo({
    ...job.calls,
    async *Start() {
      yield jobStatus({ state: "STATE_STARTING" });
      starting.resolve();
      await gate.promise;
      yield running();
      yield await job.ended.promise;
    },
  });
  job.onSignal = (name) => job.ended.resolve(killedBy(name));
  const exit = teleport(io, "run", "x");
  await starting.promise;
  io.raise("SIGTERM");
  assert.deepEqual(job.signals, []);
  gate.resolve();
  assert.equal(await exit, 143);
  assert.deepEqual(job.signals, ["SIGTERM"]);
});

Deno.test("teleport run sends the job SIGPIPE when the reader of its output closed it, and exits 141", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.output = [["stdout", "y\n"]];
  io.stdout.failure = new Deno.errors.BrokenPipe("x");
  assert.equal(await teleport(io, "run", "yes"), 141);
  assert.deepEqual(job.signals, ["SIGPIPE"]);
  assert.equal(io.stderr.text, "");
  assert.equal(job.open, 0);
});

Deno.test("teleport run says that the job may still run when the connection is lost, and exits 255", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  const exit = teleport(io, "run", "--retry-for", "0s", "x");
  await job.started.promise;
  job.ended.reject(new FakeCallError("UNAVAILABLE", "Connection lost"));
  assert.equal(await exit, 255);
  assert.match(io.stderr.text, /Job "job-1" may still run: /);
  assert.match(io.stderr.text, /teleport: Connection lost\n$/);
  assert.equal(job.open, 0);
});

Deno.test("teleport run exits 1 when the output cannot be written, and sends no signal", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.output = [["stdout", "hi"]];
  io.stdout.failure = new Error("No space left on device");
  assert.equal(await teleport(io, "run", "x"), 1);
  assert.match(io.stderr.text, /Cannot write to the standard output: No space left on device\n$/);
  assert.deepEqual(job.signals, []);
  assert.equal(job.open, 0);
});

Deno.test("teleport run fails with the refusal of the start while the output is open", async () => {
  const job = new FakeJob();
  const io = new FakeIo({
    ...job.calls,
    async *Start() {
      yield* [];
      await Promise.reject(new FakeCallError("RESOURCE_EXHAUSTED", "Too many jobs run"));
    },
  });
  assert.equal(await teleport(io, "run", "x"), 1);
  assert.match(io.stderr.text, /Job "job-1" was registered, but not started: "teleport start job-1" starts it/);
  assert.match(io.stderr.text, /teleport: Too many jobs run\n$/);
  assert.equal(job.open, 0);
});

Deno.test("teleport run fails when the registration is refused, and starts nothing", async () => {
  const io = new FakeIo({ Register: () => Promise.reject(new FakeCallError("PERMISSION_DENIED", "You may not")) });
  assert.equal(await teleport(io, "run", "x"), 1);
  assert.equal(io.stderr.text, "teleport: You may not\n");
});

Deno.test("teleport run exits 1 when the output was altered, whatever the job's code", async () => {
  const job = new FakeJob();
  const [chunk, end] = await outputOf([["stdout", "hi"]], exited(0));
  const io = new FakeIo({
    ...job.calls,
    GetOutput: () => stream({ ...chunk!, data: new TextEncoder().encode("ho") }, end!),
  });
  job.ended.resolve(exited(0));
  assert.equal(await teleport(io, "run", "x"), 1);
  assert.match(io.stderr.text, /Output was altered/);
});

Deno.test("teleport run uses the status of the start when the summary has no final one", async () => {
  const job = new FakeJob();
  const messages = await outputOf([], running());
  const io = new FakeIo({ ...job.calls, GetOutput: () => stream(...messages) });
  job.ended.resolve(exited(5));
  assert.equal(await teleport(io, "run", "x"), 5);
});

Deno.test("teleport run --output json prints records, the last one with the final status", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.output = [["stderr", "oops"]];
  job.ended.resolve(exited(7));
  assert.equal(await teleport(io, "run", "--output", "json", "x"), 7);
  const lines = io.stdout.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(atob(lines[0].data), "oops");
  assert.equal(lines[1].end.status.exit_code, 7);
  assert.equal(io.stderr.text, "");
});
