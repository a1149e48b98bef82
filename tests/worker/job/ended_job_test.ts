/** Tests of a job that ended before the restart. */
import assert from "node:assert/strict";
import { InvalidSignalError, JobNotRunningError } from "../../../worker/errors.ts";
import { NoInputError } from "../../../worker/input_errors.ts";
import { EndedJob } from "../../../worker/job/ended_job.ts";
import type { JobSpec } from "../../../worker/job/spec.ts";
import { unavailableLog } from "../../../worker/output/restore.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";

const STATUS: ProcessStatus = {
  state: "EXITED",
  exitCode: 7,
  startedAt: new Date(1),
  endedAt: new Date(2),
  pid: 4,
  reason: "EXITED",
  requestedBy: { startedBy: "ann" },
  input: { bytes: 5, closed: true },
};

function endedJob(options: Partial<JobSpec> = {}): EndedJob {
  const spec: JobSpec = { id: "one", command: "true", args: [], registeredAt: new Date(0), ...options };
  return new EndedJob(spec, unavailableLog(spec.id, { directory: "/dev/null/none" }), STATUS);
}

Deno.test("EndedJob returns the stored status from every call that returns one", async () => {
  const job = endedJob({ input: true });
  assert.deepEqual([job.status.exitCode, job.status.requestedBy, job.status.input], [
    7,
    { startedBy: "ann" },
    { bytes: 5, closed: true },
  ]);
  assert.deepEqual([job.isInitialState, job.isRunningState, job.isFinalState], [false, false, true]);
  for (const status of [await job.start(), await job.stop(), await job.measuredStatus()]) {
    assert.deepEqual(status, job.status);
  }
  assert.deepEqual(await Array.fromAsync(job.watchStatus()), [job.status]);
});

Deno.test("EndedJob refuses each action that needs a running job", async () => {
  const job = endedJob({ input: true });
  await assert.rejects(job.signal("NOPE"), InvalidSignalError);
  for (
    const call of [() => job.signal("TERM"), () => job.pause(), () => job.resume(), () => job.writeInput()]
  ) await assert.rejects(call, JobNotRunningError);
  await assert.rejects(endedJob().writeInput(), NoInputError);
});
