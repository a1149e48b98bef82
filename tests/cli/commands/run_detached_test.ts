/** `teleport run --detach`. */
import assert from "node:assert/strict";
import { exited, jobStatus } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport, untilAborted } from "../../support/fake_io.ts";
import { stream } from "../../support/streams.ts";
import { FakeJob } from "../../support/fake_job.ts";

/** Resolves once the command listens for signals. */
async function listening(io: FakeIo): Promise<void> {
  while (io.listening === 0) await new Promise((resolve) => setImmediate(resolve));
}

Deno.test("teleport run -d prints the id when the job runs, and exits", async () => {
  const job = new FakeJob();
  const io = new FakeIo(job.calls);
  assert.equal(await teleport(io, "run", "-d", "sleep", "1000"), 0);
  assert.equal(io.stdout.text, "job-1\n");
  assert.equal(job.open, 0);
  assert.deepEqual(job.signals, []);
});

Deno.test("teleport run -d exits 0 for a job that has already ended, whatever its code", async () => {
  const io = new FakeIo({ Register: () => Promise.resolve(jobStatus()), Start: () => stream(exited(7)) });
  assert.equal(await teleport(io, "run", "-d", "false"), 0);
});

Deno.test("teleport run -d prints the id of a job that could not be started, and exits with its code", async () => {
  const failed = jobStatus({ state: "STATE_FAILED", error: 'Command "x" not found', error_code: "COMMAND_NOT_FOUND" });
  const io = new FakeIo({ Register: () => Promise.resolve(jobStatus()), Start: () => stream(failed) });
  assert.equal(await teleport(io, "run", "-d", "x"), 127);
  assert.equal(io.stdout.text, "job-1\n");
  assert.equal(io.stderr.text, 'teleport: Command "x" not found\n');
});

Deno.test("teleport run -d exits when an engine has taken the job, and does not wait until it runs", async () => {
  const placement = { handle: "", node: "", waits_for: "the answer of the engine", unreachable_since: null };
  const waiting = jobStatus({ state: "STATE_STARTING", placement });
  const queued = jobStatus({ state: "STATE_STARTING", placement: { ...placement, handle: "12" } });
  const io = new FakeIo({
    Register: () => Promise.resolve(jobStatus()),
    Start: async function* (_, options) {
      yield* [waiting, queued];
      yield await untilAborted(options?.signal);
    },
  });
  assert.equal(await teleport(io, "run", "-d", "--output", "json", "true"), 0);
  const { state, placement: { handle } } = JSON.parse(io.stdout.text);
  assert.deepEqual([state, handle], ["STARTING", "12"]);
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

Deno.test("teleport run -d ends at a signal, and names the job if it is registered", async () => {
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
  assert.match(
    io.stderr.text,
    /Job "job-1" was not seen to start and may still start: "teleport status job-1" shows it/,
  );
});
