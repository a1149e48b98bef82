/** `teleport status`: prints the status of jobs in full. */
import type { Command } from "commander";
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { addFilterOptions, type FilterFlags } from "../options/filter_options.ts";
import { checkSelection, selectJobs } from "../options/job_selection.ts";
import { statusJson } from "../print/message_json.ts";
import { statusLines } from "../print/status_text.ts";

/** The parsed options. */
export type StatusFlags = FilterFlags & { readonly absolute?: true };

export const declare: Declare = (command, runner) => {
  addFilterOptions(command).option("--absolute", "print times without ages")
    .action(async (ids: string[], flags: StatusFlags, self: Command) => {
      checkSelection(ids, flags);
      await runner.call(self, (context) => {
        let isFirst = true;
        const nowMs = flags.absolute ? undefined : Date.now();
        return eachStatus(context, ids, flags, async (status) => {
          const { print } = context;
          if (print.isJson) return await print.jsonLine(statusJson(status));
          await print.line([...isFirst ? [] : [""], ...statusLines(print, status, nowMs)].join("\n"));
          isFirst = false;
        });
      });
    });
};

/** Prints the status of each job. */
export async function eachStatus(
  context: Context,
  texts: readonly string[],
  flags: FilterFlags,
  printStatus: (status: JobStatus) => Promise<void>,
): Promise<number> {
  const { calls, print } = context;
  const jobs = await selectJobs(context, texts, flags);
  return await forEachJob(
    { calls, print },
    jobs,
    (id) => calls.Status({ id }, { deadlineMs: CALL_DEADLINE_MS }),
    printStatus,
  );
}
