/** `teleport start`: starts a job and prints its status changes to the end. */
import type { Context } from "../context.ts";
import { EXIT_CODE, jobExitCode } from "../exit_code.ts";
import { printStatuses } from "../print_status.ts";

/**
 * Starts the job.
 *
 * @returns 0 once the job has run, however it ended; when it could not be started, as `run` would exit
 */
export async function start({ calls, print }: Context, id: string): Promise<number> {
  const last = await printStatuses(print, calls.Start({ id }));
  return last.state === "STATE_FAILED" ? jobExitCode(last) : EXIT_CODE.OK;
}
