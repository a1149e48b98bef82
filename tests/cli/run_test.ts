/** Tests of `teleport run`. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import {
  exited,
  FakeCallError,
  FakeIo,
  jobStatus,
  outputOf,
  running,
  stream,
  teleport,
  untilAborted,
} from "../support/fake_io.ts";
import { someBytes } from "../support/random.ts";

/** A server with one job, which ends when the test says so. */
class FakeJob {
  readonly ended = Promise.withResolvers<JobStatus>();
  readonly started = Promise.withResolvers<void>();
  readonly signals: string[] = [];
  /** How many streams are open. */
  open = 0;
  onSignal: (signal: string) => void = () => {};
  output: Parameters<typeof outputOf>[0] = [];

  readonly calls: Partial<JobWorkerClient> = {
    Register: () => Promise.resolve(jobStatus()),
    Start: (_, options) => this.#start(options?.signal),
    GetOutput: (_, options) => this.#output(options?.signal),
    Signal: ({ signal }) => {
      this.signals.push(signal ?? "");
      this.onSignal(signal ?? "");
      return Promise.resolve(running());
    },
  };

  async *#start(signal: AbortSignal | undefined) {
    this.open += 1;
    try {
      yield jobStatus({ state: "STATE_STARTING" });
      yield running();
      this.started.resolve();
      yield await Promise.race([this.ended.promise, untilAborted(signal)]);
    } finally {
      this.open -= 1;
    }
  }

  async *#output(signal: AbortSignal | undefined) {
    this.open += 1;
    try {
      const pieces = await outputOf(this.output, exited(0));
      yield* pieces.slice(0, -1);
      const status = await Promise.race([this.ended.promise, untilAborted(signal)]);
      yield* (await outputOf(this.output, status)).slice(-1);
    } finally {
      this.open -= 1;
    }
  }
}

/** Resolves once the command listens for signals. */
async function listening(io: FakeIo): Promise<void> {
  while (io.listening === 0) await new Promise((resolve) => setImmediate(resolve));
}

function killedBy(signal: string): JobStatus {
  return jobStatus({ state: "STATE_KILLED", signal, reason: "REASON_SIGNALED" });
}

Deno.test("teleport run writes each stream to its own descriptor and exits as the job did", async () => {
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

Deno.test("teleport run is silent for an empty output and a job killed by a signal", async () => {
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
  Deno.test(`teleport run exits ${code} and says why when the job was ${what}`, async () => {
    const job = new FakeJob();
    const io = new FakeIo(job.calls);
    job.ended.resolve(jobStatus(fields));
    assert.equal(await teleport(io, "run", "x"), code);
    assert.equal(io.stderr.text, sentence);
  });
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`teleport run forwards ${signal} to the running job and exits as the job does`, async () => {
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

Deno.test("teleport run leaves a job that ignores signals on the third, and says how to stop it", async () => {
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

Deno.test("teleport run sends a signal that came while the job was being registered nowhere and leaves", async () => {
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

Deno.test("teleport run sends a signal that came before the job ran once it runs", async () => {
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

Deno.test("teleport run sends the job SIGPIPE when the reader of its output left, and ends quietly with 141", async () => {
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

Deno.test("teleport run exits 1 when the output cannot be written, and sends the job nothing", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  job.output = [["stdout", "hi"]];
  io.stdout.failure = new Error("No space left on device");
  assert.equal(await teleport(io, "run", "x"), 1);
  assert.match(io.stderr.text, /Cannot write to the standard output: No space left on device\n$/);
  assert.deepEqual(job.signals, []);
  assert.equal(job.open, 0);
});

Deno.test("teleport run fails with the refusal when the job may not be started, though its output is open", async () => {
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

Deno.test("teleport run fails when the job may not be registered, and starts nothing", async () => {
  const io = new FakeIo({ Register: () => Promise.reject(new FakeCallError("PERMISSION_DENIED", "You may not")) });
  assert.equal(await teleport(io, "run", "x"), 1);
  assert.equal(io.stderr.text, "teleport: You may not\n");
});

Deno.test("teleport run exits 1 when the output was altered, whatever the job's own code", async () => {
  const job = new FakeJob();
  const [piece, end] = await outputOf([["stdout", "hi"]], exited(0));
  const io = new FakeIo({
    ...job.calls,
    GetOutput: () => stream({ ...piece!, data: new TextEncoder().encode("ho") }, end!),
  });
  job.ended.resolve(exited(0));
  assert.equal(await teleport(io, "run", "x"), 1);
  assert.match(io.stderr.text, /Output was altered/);
});

Deno.test("teleport run takes the status of the start when the closing record has none that is final", async () => {
  const job = new FakeJob();
  const messages = await outputOf([], running());
  const io = new FakeIo({ ...job.calls, GetOutput: () => stream(...messages) });
  job.ended.resolve(exited(5));
  assert.equal(await teleport(io, "run", "x"), 5);
});

Deno.test("teleport run --output json prints the output as records, the last with the final status", async () => {
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

Deno.test("teleport run -d prints the id once the job runs and leaves it", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  assert.equal(await teleport(io, "run", "-d", "sleep", "1000"), 0);
  assert.equal(io.stdout.text, "job-1\n");
  assert.equal(job.open, 0);
  assert.deepEqual(job.signals, []);
});

Deno.test("teleport run -d exits 0 for a job that has ended already, also with a failure of its own", async () => {
  const io = new FakeIo({ Register: () => Promise.resolve(jobStatus()), Start: () => stream(exited(7)) });
  assert.equal(await teleport(io, "run", "-d", "false"), 0);
});

Deno.test("teleport run -d tells a start that failed by its exit code, and prints the id all the same", async () => {
  const failed = jobStatus({ state: "STATE_FAILED", error: 'Command "x" not found', error_code: "COMMAND_NOT_FOUND" });
  const io = new FakeIo({ Register: () => Promise.resolve(jobStatus()), Start: () => stream(failed) });
  assert.equal(await teleport(io, "run", "-d", "x"), 127);
  assert.equal(io.stdout.text, "job-1\n");
  assert.equal(io.stderr.text, 'teleport: Command "x" not found\n');
});

Deno.test("teleport run -d --output json prints the status", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  assert.equal(await teleport(io, "run", "-d", "--output", "json", "x"), 0);
  assert.deepEqual(JSON.parse(io.stdout.text).state, "RUNNING");
});

Deno.test("teleport run -d names the job whose start is refused, and prints its id", async () => {
  const refused = new FakeCallError("RESOURCE_EXHAUSTED", "At most 1 job may run");
  const io = new FakeIo({
    Register: () => Promise.resolve(jobStatus()),
    Start: async function* () {
      yield await Promise.reject(refused);
    },
  });
  assert.equal(await teleport(io, "run", "-d", "x"), 1);
  assert.equal(io.stdout.text, "job-1\n");
  assert.match(
    io.stderr.text,
    /^teleport: Job "job-1" was registered, but not started: .*\nteleport: At most 1 job may/,
  );
});

Deno.test("teleport run -d leaves on a signal, and names the job if there is one", async () => {
  const before = new FakeIo({ Register: (_, options) => untilAborted(options?.signal) });
  const leaving = teleport(before, "run", "-d", "x");
  await listening(before);
  before.raise("SIGINT");
  assert.equal(await leaving, 130);
  assert.equal(before.stderr.text, "teleport: Interrupted by SIGINT\n");
  const starting = Promise.withResolvers<void>();
  const io = new FakeIo({
    Register: () => Promise.resolve(jobStatus()),
    Start: async function* (_, options) {
      starting.resolve();
      yield await untilAborted(options?.signal);
    },
  });
  const ended = teleport(io, "run", "-d", "x");
  await starting.promise;
  io.raise("SIGHUP");
  assert.equal(await ended, 129);
  assert.equal(io.stdout.text, "job-1\n");
  assert.match(io.stderr.text, /Job "job-1" was registered, but not seen to start/);
});

for (const args of [["register", "x"], ["run", "-d", "x"]]) {
  Deno.test(`teleport ${args.join(" ")} names the job whose id cannot be printed`, async () => {
    const job = new FakeJob();
    const io = new FakeIo(job.calls);
    io.stdout.failure = new Error("No space left on device");
    assert.equal(await teleport(io, ...args), 1);
    assert.match(
      io.stderr.text,
      /^teleport: Job "job-1" was registered: .*\nteleport: Cannot write to the standard out/,
    );
  });
}
