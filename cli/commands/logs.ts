/** `teleport logs`: prints a job's output. */
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { followOutput } from "../follow/follow_output.ts";
import { Outages } from "../follow/outage.ts";
import type { LogsOptions } from "../options/logs_options.ts";
import { printOutput } from "../print/print_output.ts";
import { createStamps } from "../print/timestamps.ts";

/**
 * Prints what is there so far or, following, all of it to the job's end.
 *
 * @returns 0, however the job ended: `wait` tells that
 */
export async function logs({ calls, io, print }: Context, id: string, options: LogsOptions): Promise<number> {
  const { follow, selection, timestamps, retryForMs } = options;
  const stamp = timestamps ? createStamps({ oneScreen: io.stdout.isTerminal() && io.stderr.isTerminal() }) : undefined;
  await followOutput(
    calls,
    {
      request: { id, follow, ...selection, ...(timestamps ? { exact_pieces: true } : {}) },
      ...(follow ? { outages: new Outages(print, retryForMs) } : {}),
    },
    async (output) => {
      if (stamp === undefined || print.json) return await printOutput(print, output);
      if (output.clock_went_back) {
        await print.note("The server's clock was set back here: earlier lines have later times");
      }
      await printOutput(print, stamp(output));
    },
  );
  return EXIT_CODE.OK;
}
