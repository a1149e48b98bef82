/** Lists all jobs that match a filter, page by page. */
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { JobStatus, ListRequest } from "../../proto/teleport/v1/job_worker.ts";
import { CALL_DEADLINE_MS } from "../context.ts";

/** The jobs of a page: the server's default, and far below the 4 MB of one message. */
const PAGE_SIZE = 100;

/**
 * Yields pages of jobs.
 *
 * @param limit the number of jobs in all
 */
export async function* listJobs(
  calls: Pick<JobWorkerClient, "List">,
  request: Sent<ListRequest>,
  limit = Infinity,
): AsyncGenerator<JobStatus[], void, void> {
  let remaining = limit;
  let pageToken = "";
  do {
    const page = await calls.List(
      { ...request, page_size: Math.min(remaining, PAGE_SIZE), page_token: pageToken },
      { deadlineMs: CALL_DEADLINE_MS },
    );
    // A server could send more than the page size.
    yield page.jobs.slice(0, remaining);
    remaining -= page.jobs.length;
    pageToken = page.next_page_token;
  } while (pageToken !== "" && remaining > 0);
}
