/** Tests of a job with a process. */
import assert from "node:assert/strict";
import { tempDir } from "../../support/temp_dir.ts";
import { deadline } from "../../support/deadline.ts";
import { join } from "node:path";
import {
  InvalidArgumentError,
  InvalidSignalError,
  JobNotFoundError,
  JobNotRunningError,
} from "../../../worker/errors.ts";
import { Job, type JobRecorder } from "../../../worker/job/job.ts";
import { checkJob, type JobOptions, type JobStatus } from "../../../worker/job/spec.ts";
import { OutputLog } from "../../../worker/output/log.ts";
import { Process } from "../../../worker/process/process.ts";

async function withJob(script: string, use: (job: Job, log: OutputLog) => Promise<void>, recorder?: JobRecorder) {
  await using temp = await tempDir();
  const spec = { id: crypto.randomUUID(), command: "sh", args: ["-c", script], registeredAt: new Date(1) };
  const log = new OutputLog(spec.id, { directory: join(temp.path, "job") });
  const process = new Process(spec.command, spec.args, { id: spec.id, output: log });
  try {
    await use(new Job(process, spec, log, recorder), log);
  } finally {
    await process.stop({ graceMs: 0 });
  }
}

async function states(statuses: AsyncIterable<JobStatus>): Promise<string[]> {
  return await Array.fromAsync(statuses, ({ state }) => state);
}

async function up(job: Job): Promise<void> {
  await using output = job.watchOutput();
  await output.next();
}

Deno.test("Job.start() resolves with the final status, and a second start joins the first", () =>
  withJob("echo hello; exit 7", async (job) => {
    assert.ok(job.isInitialState && !job.isRunningState && !job.isFinalState);
    assert.deepEqual(job.status, {
      id: job.id,
      state: "INITIAL",
      command: "sh",
      args: ["-c", "echo hello; exit 7"],
      labels: {},
      registeredAt: new Date(1),
      timeoutMs: 0,
      stdoutBytes: 0,
      stderrBytes: 0,
      droppedBytes: 0,
    });
    const started = job.start();
    assert.ok(job.isRunningState);
    const status = await started;
    assert.ok(job.isFinalState);
    assert.equal(status.state, "EXITED");
    assert.equal(status.exitCode, 7);
    assert.equal(status.stdoutBytes, 6);
    assert.deepEqual(await job.start(), status);
    assert.deepEqual(structuredClone(status), status);
  }));

Deno.test("Job.watchStatus() returns the status now and every later change", () =>
  withJob("echo up; read nothing; while :; do sleep 0.01; done", async (job) => {
    const fromInitial = states(job.watchStatus());
    const withoutInitial = states(job.watchStatus(undefined, { skipInitial: true }));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(job.watchers, 2);
    void job.start();
    await up(job);
    const fromRunning = states(job.watchStatus(undefined, { skipInitial: true }));
    await job.stop();
    assert.deepEqual(await fromInitial, ["INITIAL", "STARTING", "RUNNING", "STOPPING", "KILLED"]);
    assert.deepEqual(await withoutInitial, ["STARTING", "RUNNING", "STOPPING", "KILLED"]);
    assert.deepEqual(await fromRunning, ["RUNNING", "STOPPING", "KILLED"]);
    assert.deepEqual(await states(job.watchStatus()), ["KILLED"]);
    assert.equal(job.watchers, 0);
  }));

Deno.test("Job.watchStatus() misses no change when its consumer is slow", () =>
  withJob("exit 0", async (job) => {
    const watching = job.watchStatus();
    assert.equal((await watching.next()).value?.state, "INITIAL");
    await job.start();
    assert.deepEqual(await states(watching), ["STARTING", "RUNNING", "EXITED"]);
  }));

Deno.test("Job.watchStatus() returns the final status only when the last byte of output can be read", () =>
  withJob("echo last", async (job, log) => {
    const sealing = Promise.withResolvers<void>();
    const slowDisk = Promise.withResolvers<void>();
    const seal = log.seal.bind(log);
    log.seal = async () => {
      sealing.resolve();
      await slowDisk.promise;
      await seal();
    };
    const seen = states(job.watchStatus(undefined, { skipInitial: true }));
    const final = job.start();
    await deadline(sealing.promise, "the end of the process"); // The process has ended by now.
    assert.equal(job.status.state, "RUNNING");
    const stopped = job.stop(); // Joins the end that is in progress.
    slowDisk.resolve();
    assert.equal((await final).stdoutBytes, 5);
    assert.deepEqual(await stopped, await final);
    assert.deepEqual(await seen, ["STARTING", "RUNNING", "EXITED"]);
  }));

Deno.test("Job.watchOutput() returns all output, then the summary with the final status", () =>
  withJob("printf out; printf err >&2; exit 3", async (job) => {
    const watching = job.watchOutput();
    const first = watching.next(); // Before the start.
    void job.start();
    const text = { stdout: "", stderr: "" };
    for (let result = await first;; result = await watching.next()) {
      if (result.done) {
        const { status, stdoutBytes, stderrBytes, droppedBytes } = result.value;
        assert.deepEqual([status.state, status.exitCode], ["EXITED", 3]);
        assert.deepEqual([stdoutBytes, stderrBytes, droppedBytes], [3, 3, 0]);
        break;
      }
      text[result.value.stream] += new TextDecoder().decode(result.value.data);
    }
    assert.deepEqual(text, { stdout: "out", stderr: "err" });
  }));

Deno.test("Job.stop() has no effect before the start", () =>
  withJob("exit 4", async (job) => {
    assert.equal((await job.stop()).state, "INITIAL");
    assert.equal((await job.start()).exitCode, 4);
    assert.equal((await job.stop({ by: "ann" })).reason, "EXITED");
    await assert.rejects(job.signal("NOPE"), InvalidSignalError);
    await assert.rejects(job.signal("TERM"), JobNotRunningError);
  }));

Deno.test("Job.abandon() rejects all waits for a job that was not started", () =>
  withJob("exit 0", async (job) => {
    const status = job.watchStatus();
    const output = job.watchOutput();
    await status.next();
    const waiting = [status.next(), output.next()];
    const reason = new Error("gone");
    job.abandon(reason);
    await Promise.all(waiting.map((one) => assert.rejects(one, reason)));
    await assert.rejects(states(job.watchStatus()), reason);
    assert.equal(job.watchers, 0);
  }));

Deno.test("Job.remove() ends the watches of its output", () =>
  withJob("head -c 3000000 /dev/zero", async (job) => {
    await job.start();
    const reader = job.watchOutput();
    assert.equal((await reader.next()).done, false);
    await job.remove();
    await assert.rejects(async () => {
      for await (const _ of reader);
    }, JobNotFoundError);
    assert.equal(job.watchers, 0);
  }));

Deno.test("Job stores each change before watchers see it, and the start before the process exists", async () => {
  const events: string[] = [];
  const recorder: JobRecorder = {
    record: (process, { state }) => {
      events.push(`record ${state}${state === "STARTING" ? ` of ${process.status.state}` : ""}`);
    },
  };
  await withJob("exit 0", async (job) => {
    const seen = (async () => {
      for await (const { state } of job.watchStatus(undefined, { skipInitial: true })) events.push(`seen ${state}`);
    })();
    await job.start();
    await seen;
  }, recorder);
  assert.equal(events[0], "record STARTING of INITIAL");
  for (const state of ["STARTING", "RUNNING", "EXITED"]) {
    const recorded = events.findIndex((event) => event.startsWith(`record ${state}`));
    assert.ok(recorded >= 0 && recorded < events.indexOf(`seen ${state}`), `${state}: ${events}`);
  }
});

Deno.test("Job.start() starts nothing when the start cannot be stored", async () => {
  const failure = new Error("disk");
  const recorder: JobRecorder = {
    record: () => {
      throw failure;
    },
  };
  await withJob("exit 0", async (job) => {
    assert.throws(() => job.start(), failure);
    assert.ok(job.isInitialState);
    await Promise.resolve();
  }, recorder);
});

Deno.test("checkJob() refuses labels and limits out of range", () => {
  const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, ""]));
  const cases: readonly JobOptions[] = [
    { labels: labels(65) },
    { labels: { "": "x" } },
    { labels: { ["k".repeat(257)]: "x" } },
    { labels: { k: "v".repeat(257) } },
    { outputLimit: { maxBytes: 0, policy: "STOP" } },
    { outputLimit: { maxBytes: 1.5, policy: "BLOCK" } },
    { outputLimit: { maxBytes: 2 ** 50 + 1, policy: "KEEP_NEWEST" } },
    { cwd: "relative" },
  ];
  for (const options of cases) {
    assert.throws(() => checkJob("true", [], options), (error) => {
      assert.ok(error instanceof InvalidArgumentError, JSON.stringify(options).slice(0, 80));
      assert.match(error.message, /^[A-Z'].*(: .*[^.]|, got .+)$/);
      return true;
    });
  }
  checkJob("true", [], { labels: { ...labels(63), ["k".repeat(256)]: "v".repeat(256) } });
  checkJob("true", [], { outputLimit: { maxBytes: 1, policy: "STOP" } });
});
