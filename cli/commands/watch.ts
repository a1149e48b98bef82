/** `teleport watch`: prints a job's status now and every change of it, to the end. */
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { printStatuses } from "../print_status.ts";

/** Watches the job. */
export async function watch({ calls, print }: Context, id: string): Promise<number> {
  await printStatuses(print, calls.StatusStream({ id }));
  return EXIT_CODE.OK;
}
