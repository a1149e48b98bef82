/** Registers a job once, however often it takes to ask. */
import type { JobWorkerClient, Sent } from "../proto/service.ts";
import type { JobRequest, JobStatus } from "../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS } from "./context.ts";
import { type Outages, retryUntilAnswered } from "./follow/outage.ts";

/**
 * Registers the job. Where the connection breaks off before the answer, it asks again: the request has an id, by which
 * the server knows that it is the same one.
 *
 * @param signal ends the call
 */
export async function registerJob(
  calls: Pick<JobWorkerClient, "Register">,
  request: Sent<JobRequest>,
  outages: Outages,
  signal?: AbortSignal,
): Promise<JobStatus> {
  const named = { ...request, request_id: crypto.randomUUID() };
  const options = { ...(signal && { signal }), deadlineMs: CALL_DEADLINE_MS };
  return await retryUntilAnswered(() => calls.Register(named, options), outages, signal);
}
