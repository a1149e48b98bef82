/** Removes the jobs that a torture registered, because the stage counts jobs before and after. */
import type { JobWorkerClient } from "../../proto/service.ts";

/** Removes all jobs but one. */
export async function removeOthers(calls: JobWorkerClient, keptId: string): Promise<void> {
  let pageToken = "";
  do {
    const page = await calls.List({ page_size: 1_000, page_token: pageToken });
    pageToken = page.next_page_token;
    for (const { id } of page.jobs) {
      if (id === keptId) continue;
      await calls.Stop({ id, grace_ms: 0 });
      await calls.Remove({ id });
    }
  } while (pageToken !== "");
}
