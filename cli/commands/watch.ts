/** `teleport watch`: prints the status of one job or many, and every change of it. */
import type { Command } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { JobEvent, WatchJobsRequest } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { followJobs, JobEnds } from "../follow/follow_jobs.ts";
import { followStatus } from "../follow/follow_status.ts";
import { Outages } from "../follow/outage.ts";
import { resolveJob, resolveJobs, retried } from "../follow/resolve.ts";
import { addFilterOptions, type FilterFlags, filterOf, isFiltering } from "../options/filter_options.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { eventJson } from "../print/message_json.ts";
import type { Print } from "../print/print.ts";
import { printStatuses } from "../print/print_status.ts";
import { colourByState, stateText } from "../print/status_text.ts";

const NOTES = `
One job is watched to its end, several jobs until all have ended. Without an id, all jobs that match the filters are
watched, and new ones too, until you end this command.`;

export const declare: Declare = (command, runner) => {
  addRetryOption(addFilterOptions(command))
    .addHelpText("after", NOTES)
    .action(async (ids: string[], flags: FilterFlags & RetryFlags, self: Command) => {
      const [id, ...others] = ids;
      const isOne = id !== undefined && others.length === 0 && !isFiltering(flags);
      await runner.call(
        self,
        (context) =>
          isOne
            ? watchOne(context, id, flags.retryFor)
            : watchMany(context, { ids, ...filterOf(flags) }, flags.retryFor),
      );
    });
};

/**
 * Watches a job to its end, through outages of the server.
 *
 * @param retryForMs the longest outage that is bridged, in milliseconds
 */
async function watchOne({ calls, print }: Context, text: string, retryForMs?: number): Promise<number> {
  const outages = new Outages(print, retryForMs);
  const id = await resolveJob(retried(calls, outages), text);
  await printStatuses(print, followStatus(() => calls.StatusStream({ id }), outages));
  return EXIT_CODE.OK;
}

/**
 * Watches the jobs of the request, through outages of the server. Jobs with given ids are watched until all have ended,
 * other jobs until this command ends.
 *
 * @param retryForMs the longest outage that is bridged, in milliseconds
 */
async function watchMany(
  { calls, print }: Context,
  filter: Sent<WatchJobsRequest> & { readonly ids: readonly string[] },
  retryForMs?: number,
): Promise<number> {
  const outages = new Outages(print, retryForMs);
  const request = { ...filter, ids: await resolveJobs(retried(calls, outages), filter.ids) };
  const ends = new JobEnds(request.ids);
  for await (const event of followJobs(calls, request, outages)) {
    await printEvent(print, event);
    ends.apply(event);
    if (request.ids.length > 0 && ends.pending.size === 0) break;
  }
  return EXIT_CODE.OK;
}

async function printEvent(print: Print, event: JobEvent): Promise<void> {
  if (print.isJson) return await print.jsonLine(eventJson(event));
  const { job, kind } = event;
  if (job === null) return;
  const text = kind === "JOB_EVENT_KIND_REMOVED" ? "removed" : colourByState(print, job, stateText(job));
  await print.line(`${escapeTerminal(job.id)} ${text}`);
}
