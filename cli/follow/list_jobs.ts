/** All jobs that a filter means, page by page. */
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { JobStatus, ListRequest } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS } from "../context.ts";

/** Jobs asked for in one call: the server's default, and far below the 4 MB one message carries. */
const PAGE_SIZE = 100;

/**
 * Yields pages of jobs.
 *
 * @param limit at most so many jobs in all
 */
export async function* listJobs(
  calls: Pick<JobWorkerClient, "List">,
  request: Sent<ListRequest>,
  limit = Infinity,
): AsyncGenerator<JobStatus[], void, void> {
  let left = limit;
  let pageToken = "";
  do {
    const page = await calls.List(
      { ...request, page_size: Math.min(left, PAGE_SIZE), page_token: pageToken },
      { deadlineMs: CALL_DEADLINE_MS },
    );
    // No more than was asked for, whatever the server sent.
    yield page.jobs.slice(0, left);
    left -= page.jobs.length;
    pageToken = page.next_page_token;
  } while (pageToken !== "" && left > 0);
}
