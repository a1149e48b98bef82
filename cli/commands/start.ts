/** `teleport start`: starts a job and prints its status changes to the end. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE, jobExitCode } from "../exit_code.ts";
import { JobStart, notStartedText } from "../follow/job_start.ts";
import { Outages } from "../follow/outage.ts";
import { resolveJob, retried } from "../follow/resolve.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { printStatuses } from "../print/print_status.ts";

export const declare: Declare = (command, runner) => {
  addRetryOption(command).action(async (id: string, flags: RetryFlags, self: Command) => {
    await runner.call(self, (context) => start(context, id, flags.retryFor));
  });
};

/**
 * Starts the job and follows it. After an outage of the server it sends the start again, which does not start a job twice.
 *
 * @param retryForMs the longest outage that is bridged, in milliseconds
 * @returns 0 when the job has run, however it ended. When it could not be started, the exit code of `run`
 */
async function start({ calls, print }: Context, text: string, retryForMs?: number): Promise<number> {
  const outages = new Outages(print, retryForMs);
  const id = await resolveJob(retried(calls, outages), text);
  const request = new JobStart(id);
  const last = await printStatuses(print, request.statuses(calls, outages)).catch(async (error) => {
    if (request.mayStart && !request.hasBegun) await print.note(notStartedText(request));
    throw error;
  });
  return last.state === "STATE_FAILED" ? jobExitCode(last) : EXIT_CODE.OK;
}
