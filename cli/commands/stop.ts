/** `teleport stop`: stops jobs and prints how each ended. */
import type { Command } from "commander";
import { JOB_OPTIONS } from "../../base/job_options/table.ts";
import { numberParser } from "../../units/number.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { Outages, retryUntilAnswered } from "../follow/outage.ts";
import { retried } from "../follow/resolve.ts";
import { addFilterOptions, type FilterFlags } from "../options/filter_options.ts";
import { checkSelection, RUNNING_STATES, selectJobs } from "../options/job_selection.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { statusJson } from "../print/message_json.ts";
import { colourByState, stateText } from "../print/status_text.ts";

interface StopFlags extends RetryFlags, FilterFlags {
  /** The time between SIGTERM and SIGKILL, in milliseconds. Absent: each job's own. */
  readonly grace?: number;
}

export const declare: Declare = (command, runner) => {
  addRetryOption(addFilterOptions(command))
    .option(
      "--grace <DURATION>",
      "time between SIGTERM and SIGKILL (default: the job's own)",
      numberParser("--grace", JOB_OPTIONS.graceMs),
    )
    .action(async (ids: string[], flags: StopFlags, self: Command) => {
      checkSelection(ids, flags);
      await runner.call(self, (context) => stop(context, ids, flags));
    });
};

/** Stops the jobs at the same time. After an outage of the server it sends the stop again, which joins the first one. */
async function stop(context: Context, texts: readonly string[], flags: StopFlags): Promise<number> {
  const { calls, print } = context;
  const ids = await selectJobs(context, texts, flags, RUNNING_STATES);
  const outages = new Outages(print, flags.retryFor);
  return await forEachJob(
    { calls: retried(calls, outages), print },
    ids,
    (id) => retryUntilAnswered(() => calls.Stop({ id, grace_ms: flags.grace }), outages),
    (status, id) =>
      print.isJson
        ? print.jsonLine(statusJson(status))
        : print.line(`${id} ${colourByState(print, status, stateText(status))}`),
  );
}
