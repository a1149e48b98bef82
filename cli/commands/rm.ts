/** `teleport rm`: removes jobs that do not run, and their output. */
import type { Command } from "commander";
import { UsageError } from "../../units/usage_error.ts";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { listJobs } from "../follow/list_jobs.ts";
import {
  addFilterOptions,
  type Filter,
  type FilterFlags,
  filterOf,
  FINAL_STATES,
  isFiltering,
} from "../options/filter_options.ts";

const NOTES = `
Filters select jobs that have ended, unless --state says otherwise. Prints the id of each removed job.
  teleport rm --until 7d                            ended jobs that were registered more than a week ago
  teleport rm --label kind=build --state exited`;

export const declare: Declare = (command, runner) => {
  addFilterOptions(command)
    .option("--ended", "all jobs that have ended; with other filters, those of them")
    .addHelpText("after", NOTES)
    .action(async (ids: string[], flags: FilterFlags & { ended?: true }, self: Command) => {
      const isMany = flags.ended || isFiltering(flags);
      if (ids.length === 0 && !isMany) throw new UsageError("Nothing to remove: give ids, filters, or --ended for all");
      if (ids.length > 0 && isMany) throw new UsageError("Ids and filters exclude each other: give only one of them");
      const filter = { ...filterOf(flags), states: [...flags.state ?? FINAL_STATES] };
      await runner.call(self, (context) => isMany ? removeMatching(context, filter) : remove(context, ids));
    });
};

/** Removes the jobs and prints the id of each removed job. */
function remove({ calls, print }: Context, ids: readonly string[]): Promise<number> {
  return forEachJob(
    { calls, print },
    ids,
    (id) => calls.Remove({ id }, { deadlineMs: CALL_DEADLINE_MS }),
    (_, id) => print.isJson ? print.jsonLine({ id }) : print.line(id),
  );
}

/** Removes all jobs that match the filter, page by page. */
async function removeMatching(context: Context, filter: Filter): Promise<number> {
  let exitCode: number = EXIT_CODE.OK;
  for await (const page of listJobs(context.calls, filter)) {
    const pageCode = await remove(context, page.map(({ id }) => id));
    if (exitCode === EXIT_CODE.OK) exitCode = pageCode;
  }
  return exitCode;
}
