/** `teleport watch`: prints the status of one job or many now and every change of it, to the end. */
import type { Sent } from "../../proto/service.ts";
import type { JobEvent, WatchJobsRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { Ends, followJobs } from "../follow/follow_jobs.ts";
import { followStatus } from "../follow/follow_status.ts";
import { eventJson } from "../print/message_json.ts";
import { Outages } from "../follow/outage.ts";
import type { Print } from "../print/print.ts";
import { printStatuses } from "../print/print_status.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { inStateColour, stateText } from "../print/status_text.ts";

/**
 * Watches a job, through outages of the server.
 *
 * @param retryForMs how long an outage may last, in milliseconds
 */
export async function watch({ calls, print }: Context, id: string, retryForMs?: number): Promise<number> {
  const outages = new Outages(print, retryForMs);
  await printStatuses(print, followStatus(() => calls.StatusStream({ id }), outages));
  return EXIT_CODE.OK;
}

/**
 * Watches the jobs that the request means, through outages of the server: those named by their ids until all have ended,
 * others until this command is ended.
 *
 * @param retryForMs how long an outage may last, in milliseconds
 */
export async function watchMany(
  { calls, print }: Context,
  request: Sent<WatchJobsRequest> & { readonly ids: readonly string[] },
  retryForMs?: number,
): Promise<number> {
  const ends = new Ends(request.ids);
  for await (const event of followJobs(calls, request, new Outages(print, retryForMs))) {
    await printEvent(print, event);
    ends.take(event);
    if (request.ids.length > 0 && ends.left.size === 0) break;
  }
  return EXIT_CODE.OK;
}

async function printEvent(print: Print, event: JobEvent): Promise<void> {
  if (print.json) return await print.record(eventJson(event));
  const { job, kind } = event;
  if (job === null) return;
  const text = kind === "JOB_EVENT_KIND_REMOVED" ? "removed" : inStateColour(print, job, stateText(job));
  await print.line(`${escapeTerminal(job.id)} ${text}`);
}
