/** `teleport logs`: prints a job's output. */
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { followOutput } from "../follow_output.ts";
import { printOutput } from "../print_output.ts";

/**
 * Prints what is there so far or, following, all of it to the job's end.
 *
 * @returns 0, however the job ended: `wait` tells that
 */
export async function logs({ calls, print }: Context, id: string, options: { follow: boolean }): Promise<number> {
  await followOutput(calls, { id, follow: options.follow }, (output) => printOutput(print, output));
  return EXIT_CODE.OK;
}
