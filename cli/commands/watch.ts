/** `teleport watch`: prints a job's status now and every change of it, to the end. */
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { followStatus } from "../follow_status.ts";
import { Outages } from "../outage.ts";
import { printStatuses } from "../print_status.ts";

/**
 * Watches the job, through outages of the server.
 *
 * @param retryForMs how long an outage may last, in milliseconds
 */
export async function watch({ calls, print }: Context, id: string, retryForMs?: number): Promise<number> {
  const outages = new Outages(print, retryForMs);
  await printStatuses(print, followStatus(() => calls.StatusStream({ id }), outages));
  return EXIT_CODE.OK;
}
