/** The call List: answers a page of the jobs that the caller may see. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { listOptionsOf } from "../convert/job_filters.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

/** The largest page. A larger `page_size` counts as this (AIP-158). */
const MAX_PAGE_SIZE = 1_000;

export function listHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["List"] {
  return async (request, context) => {
    const { owner: onlyOwner, shows } = permissions.permitMany("List", context);
    if (onlyOwner !== undefined && request.owner !== "" && request.owner !== onlyOwner) return {};
    const owner = onlyOwner ?? request.owner;
    const page = await supervisor.list({
      ...listOptionsOf(request),
      ...(owner === "" ? {} : { owner }),
      ...(request.page_size === 0 ? {} : { pageSize: Math.min(request.page_size, MAX_PAGE_SIZE) }),
    });
    // Hidden jobs make a page shorter, which AIP-158 allows.
    const jobs = shows === undefined ? page.jobs : page.jobs.filter(shows);
    return { jobs: jobs.map(statusMessage), next_page_token: page.nextPageToken };
  };
}
