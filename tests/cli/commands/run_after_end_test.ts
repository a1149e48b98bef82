/** `teleport run --rm` and `--on-end`: the acts after the end of a job, and after a run that failed. */
import assert from "node:assert/strict";
import type { JobWorkerClient } from "../../../proto/service.ts";
import type { JobStatus } from "../../../proto/teleport/v1/job_worker.ts";
import { exited, jobStatus, outputOf, running } from "../../support/cli_messages.ts";
import { FakeCallError, FakeIo, teleport } from "../../support/fake_io.ts";
import { FakeJob } from "../../support/fake_job.ts";
import { stream } from "../../support/streams.ts";

/** A machine and a server that records what is done with the job. */
function stage(job: FakeJob, status: JobStatus, calls: Partial<JobWorkerClient> = {}) {
  const acts: string[] = [];
  const io = new FakeIo({
    ...job.calls,
    Status: () => Promise.resolve(status),
    Stop: ({ grace_ms }) => {
      acts.push(`stop ${grace_ms}`);
      return Promise.resolve(status);
    },
    Remove: ({ id }) => {
      acts.push(`remove ${id}, after ${JSON.stringify(io.stdout.text)}`);
      return Promise.resolve({});
    },
    ...calls,
  });
  return { io, acts };
}

Deno.test("teleport run --rm removes the job after its whole output, and --on-end runs before", async () => {
  const job = new FakeJob();
  const { io, acts } = stage(job, exited(7));
  job.output = [["stdout", "all of it\n"]];
  job.ended.resolve(exited(7));
  assert.equal(await teleport(io, "run", "--rm", "--on-end", "echo $TELEPORT_JOB_ID", "true"), 7);
  assert.deepEqual(acts, ['remove job-1, after "all of it\\n"']);
  assert.deepEqual(io.shellCommands, [["echo $TELEPORT_JOB_ID", {
    TELEPORT_JOB_ID: "job-1",
    TELEPORT_JOB_NAME: "",
    TELEPORT_JOB_STATE: "EXITED",
    TELEPORT_JOB_SIGNAL: "",
    TELEPORT_EXIT_CODE: "7",
  }]]);
});

Deno.test("teleport run --rm kills and removes the job at the third signal", async () => {
  const job = new FakeJob();
  const { io, acts } = stage(job, running());
  const exit = teleport(io, "run", "--rm", "--on-end", "true", "sleep", "1000");
  await job.started.promise;
  for (let count = 0; count < 3; count++) io.raise("SIGINT");
  assert.equal(await exit, 130);
  assert.deepEqual(acts, ["stop 0", 'remove job-1, after ""']);
  assert.deepEqual(io.shellCommands, []);
});

Deno.test("teleport run --rm removes a job that could not be started, and one whose reader went away", async () => {
  const refused = stage(new FakeJob(), jobStatus(), {
    Start: () => {
      throw new FakeCallError("RESOURCE_EXHAUSTED", "Too many jobs run");
    },
  });
  assert.equal(await teleport(refused.io, "run", "--rm", "true"), 1);
  assert.deepEqual(refused.acts, ['remove job-1, after ""']);

  const job = new FakeJob();
  const { io, acts } = stage(job, running());
  io.stdout.failure = new Deno.errors.BrokenPipe();
  job.output = [["stdout", "x"]];
  assert.equal(await teleport(io, "run", "--rm", "yes"), 141);
  assert.deepEqual([job.signals, acts], [["SIGPIPE"], ["stop undefined", 'remove job-1, after ""']]);
});

Deno.test("teleport run --rm keeps a job whose output did not arrive whole", async () => {
  const [chunk, end] = await outputOf([["stdout", "hi"]], exited(0));
  const job = new FakeJob();
  const { io, acts } = stage(job, exited(0), {
    GetOutput: () => stream({ ...chunk!, data: new TextEncoder().encode("ho") }, end!),
  });
  job.ended.resolve(exited(0));
  assert.equal(await teleport(io, "run", "--rm", "true"), 1);
  assert.deepEqual(acts.filter((act) => act.startsWith("remove")), []);
  assert.match(io.stderr.text, /altered on its way/);
});

Deno.test("teleport run says when it cannot remove the job, or when the command of --on-end failed", async () => {
  const job = new FakeJob();
  const { io } = stage(job, exited(0), {
    Remove: () => Promise.reject(new FakeCallError("PERMISSION_DENIED", "Not allowed")),
  });
  io.runShell = () => Promise.resolve(3);
  job.ended.resolve(exited(0));
  assert.equal(await teleport(io, "run", "--rm", "--on-end", "exit 3", "true"), 0);
  assert.match(io.stderr.text, /The command of --on-end ended with exit code 3/);
  assert.match(io.stderr.text, /Cannot remove job "job-1": Not allowed: "teleport rm job-1" removes it/);
});

Deno.test("teleport run --rm and --on-end need a job in the foreground", async () => {
  for (const option of [["--rm"], ["--on-end", "true"]]) {
    assert.equal(await teleport(new FakeIo(), "run", "-d", ...option, "true"), 2);
  }
});
