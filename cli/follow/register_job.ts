/** Registers a job exactly once, through outages of the server. */
import { defined } from "../../base/defined.ts";
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { JobRequest, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS } from "../context.ts";
import { type ResolveCalls, resolveJob, retried } from "./resolve.ts";
import { type Outages, retryUntilAnswered } from "./outage.ts";

/**
 * Registers the job. When the connection is lost before the answer, it sends the request again. The server recognises the
 * request by its id.
 *
 * @param signal cancels the call
 */
export async function registerJob(
  calls: Pick<JobWorkerClient, "Register"> & ResolveCalls,
  request: Sent<JobRequest>,
  outages: Outages,
  signal?: AbortSignal,
): Promise<JobStatus> {
  // The jobs that the request refers to.
  const [like, rerun] = await Promise.all(
    [request.like, request.rerun].map((text) => text ? resolveJob(retried(calls, outages), text) : undefined),
  );
  const identified = { ...request, ...defined({ like, rerun }), request_id: crypto.randomUUID() };
  const options = { ...defined({ signal }), deadlineMs: CALL_DEADLINE_MS };
  return await retryUntilAnswered(() => calls.Register(identified, options), outages, signal);
}
