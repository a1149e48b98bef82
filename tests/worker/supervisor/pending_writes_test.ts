/** Tests for pending writes: changes in order, kept while the disk is full, and dropped with their job. */
import assert from "node:assert/strict";
import type { AnyJob } from "../../../worker/job/any_job.ts";
import type { OutputLog } from "../../../worker/output/log.ts";
import type { Process } from "../../../worker/process/process.ts";
import type { ProcessStatus } from "../../../worker/process/state.ts";
import { NotRecordedError, RecordDamagedError } from "../../../worker/storage_errors.ts";
import type { Store } from "../../../worker/store/store.ts";
import { LiveJobs } from "../../../worker/supervisor/live_jobs.ts";
import { PendingWrites } from "../../../worker/supervisor/pending_writes.ts";

const at = new Date(0);
const STARTING: ProcessStatus = { state: "STARTING", startedAt: at };
const RUNNING: ProcessStatus = { state: "RUNNING", startedAt: at, pid: 1 };
const ENDED: ProcessStatus = { ...RUNNING, state: "EXITED", exitCode: 0, endedAt: at, reason: "EXITED" };
const log = { end: undefined, totals: () => undefined, transferQuota: () => 5 } as unknown as OutputLog;

/** Pending writes of one job "a" with a store that can fail. */
function setup() {
  const jobs = new LiveJobs();
  const job = { id: "a", isRunningState: true } as AnyJob;
  jobs.add(job);
  const state = {
    failure: undefined as Error | undefined,
    written: [] as string[],
    errors: [] as unknown[],
    job,
    jobs,
  };
  const store = {
    change(id: string, status: ProcessStatus) {
      if (state.failure !== undefined) throw state.failure;
      state.written.push(`${id} ${status.state}`);
    },
  } as unknown as Store;
  const onError = (error: unknown) => void state.errors.push(error);
  const writes = new PendingWrites({ store, liveJobs: jobs, bootId: "boot", onWritten: () => {}, onError });
  const record = (status: ProcessStatus) => writes.recorderOf("a").record({} as Process, status, log);
  return { ...state, state, writes, record };
}

Deno.test("record() stores changes in order and keeps the job alive until its end is stored", () => {
  const { writes, record, written, jobs, job } = setup();
  record(STARTING);
  record(RUNNING);
  assert.deepEqual(jobs.running(), [job]);
  record(ENDED);
  assert.deepEqual(written, ["a STARTING", "a RUNNING", "a EXITED"]);
  assert.deepEqual(jobs.running(), []);
  writes.close();
});

Deno.test("record() refuses a start that cannot be stored", () => {
  const { state, writes, record, jobs } = setup();
  state.failure = new Error("disk is full");
  assert.throws(() => record(STARTING), NotRecordedError);
  assert.deepEqual(state.errors, [state.failure]);
  assert.deepEqual(jobs.running(), []);
  writes.close();
});

Deno.test("flush() stores an end that could not be stored before", () => {
  const { state, writes, record, written, jobs, job } = setup();
  record(STARTING);
  state.failure = new Error("disk is full");
  record(ENDED);
  assert.deepEqual(jobs.running(), [job], "The end is not stored yet");
  state.failure = undefined;
  writes.flush();
  assert.deepEqual(written, ["a STARTING", "a EXITED"]);
  assert.deepEqual(jobs.running(), []);
  writes.close();
});

Deno.test("record() stores a refused start before the next start, so that the job that runs stays alive", () => {
  const { state, writes, record, written, jobs, job } = setup();
  record(STARTING);
  state.failure = new Error("disk is full");
  record({ state: "INITIAL" });
  assert.throws(() => record(STARTING), NotRecordedError);
  state.failure = undefined;
  record(STARTING);
  writes.flush();
  assert.deepEqual(written, ["a STARTING", "a INITIAL", "a STARTING"]);
  assert.deepEqual(jobs.running(), [job]);
  writes.close();
});

Deno.test("flush() drops a change of a damaged row", () => {
  const { state, writes, record, written } = setup();
  record(STARTING);
  state.failure = new RecordDamagedError();
  record(ENDED);
  state.failure = undefined;
  writes.flush();
  assert.deepEqual(written, ["a STARTING"]);
  writes.close();
});

Deno.test("discard() drops the pending changes of a job and returns the bytes of its output", () => {
  const { state, writes, record, written } = setup();
  record(STARTING);
  state.failure = new Error("disk is full");
  record(ENDED);
  assert.equal(writes.discard("a"), 5);
  assert.equal(writes.discard("a"), 0);
  state.failure = undefined;
  writes.close();
  record(RUNNING);
  assert.deepEqual(written, ["a STARTING"], "Nothing is stored after close()");
});
