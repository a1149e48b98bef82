/** `teleport rm`: forgets jobs that do not run, and their output. */
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { EXIT_CODE } from "../exit_code.ts";
import type { Filter } from "../options/filter_options.ts";
import { listJobs } from "../follow/list_jobs.ts";

/** Removes the jobs and prints the id of each that is gone. */
export function rm({ calls, print }: Context, ids: readonly string[]): Promise<number> {
  return forEachJob(
    print,
    ids,
    (id) => calls.Remove({ id }, { deadlineMs: CALL_DEADLINE_MS }),
    (_, id) => print.json ? print.record({ id }) : print.line(id),
  );
}

/** Removes all jobs that the filter means, as it finds them. */
export async function rmMany(context: Context, filter: Filter): Promise<number> {
  let exitCode: number = EXIT_CODE.OK;
  for await (const page of listJobs(context.calls, filter)) {
    const pageCode = await rm(context, page.map(({ id }) => id));
    if (exitCode === EXIT_CODE.OK) exitCode = pageCode;
  }
  return exitCode;
}
