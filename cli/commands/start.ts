/** `teleport start`: starts a job and prints its status changes to the end. */
import type { Context } from "../context.ts";
import { EXIT_CODE, jobExitCode } from "../exit_code.ts";
import { followStatus } from "../follow/follow_status.ts";
import { Outages } from "../follow/outage.ts";
import { printStatuses } from "../print/print_status.ts";

/**
 * Starts the job, and follows it through outages of the server: asked again, a start of a job that was started is none.
 *
 * @param retryForMs how long an outage may last, in milliseconds
 * @returns 0 once the job has run, however it ended; when it could not be started, as `run` would exit
 */
export async function start({ calls, print }: Context, id: string, retryForMs?: number): Promise<number> {
  const outages = new Outages(print, retryForMs);
  const last = await printStatuses(print, followStatus(() => calls.Start({ id }), outages));
  return last.state === "STATE_FAILED" ? jobExitCode(last) : EXIT_CODE.OK;
}
