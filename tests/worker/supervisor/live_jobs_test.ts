/** Tests for live jobs: which jobs stay objects. */
import assert from "node:assert/strict";
import type { AnyJob } from "../../../worker/job/any_job.ts";
import { LiveJobs } from "../../../worker/supervisor/live_jobs.ts";

const job = (id: string, isRunningState = true) => ({ id, isRunningState }) as AnyJob;

Deno.test("get() returns the job that was added, until remove()", () => {
  const jobs = new LiveJobs();
  const first = job("a");
  jobs.add(first);
  assert.equal(jobs.get("a"), first);
  assert.deepEqual(jobs.all(), [first]);
  jobs.remove("a");
  assert.equal(jobs.get("a"), undefined);
  assert.deepEqual(jobs.all(), []);
});

Deno.test("running() returns pinned jobs that run", () => {
  const jobs = new LiveJobs();
  const [running, ended, unpinned] = [job("a"), job("b", false), job("c")];
  for (const added of [running, ended, unpinned]) jobs.add(added);
  for (const id of ["a", "b", "no such job"]) jobs.pin(id);
  assert.deepEqual(jobs.running(), [running]);
  jobs.unpin("a");
  assert.deepEqual(jobs.running(), []);
  assert.equal(jobs.get("a"), running, "It is still referred to");
});
