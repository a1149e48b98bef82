/** `teleport logs`: prints a job's output. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { followOutput } from "../follow/follow_output.ts";
import { Outages } from "../follow/outage.ts";
import { addLogsOptions, type LogsFlags, type LogsOptions, logsOptions } from "../options/logs_options.ts";
import { printOutput } from "../print/print_output.ts";
import { createTimestampPrefix } from "../print/timestamps.ts";

export const declare: Declare = (command, runner) => {
  addLogsOptions(command).action(async (id: string, flags: LogsFlags, self: Command) => {
    await runner.call(self, (context) => logs(context, id, logsOptions(flags)));
  });
};

/**
 * Prints the output so far or, with `follow`, the output to the job's end.
 *
 * @returns 0, however the job ended. `wait` returns its exit code
 */
async function logs({ calls, io, print }: Context, id: string, options: LogsOptions): Promise<number> {
  const { follow, selection, timestamps, retryForMs } = options;
  const addTimestamps = timestamps
    ? createTimestampPrefix({ oneScreen: io.stdout.isTerminal() && io.stderr.isTerminal() })
    : undefined;
  await followOutput(
    calls,
    {
      request: { id, follow, ...selection, ...(timestamps ? { exact_pieces: true } : {}) },
      ...(follow ? { outages: new Outages(print, retryForMs) } : {}),
    },
    async (output) => {
      if (addTimestamps === undefined || print.isJson) return await printOutput(print, output);
      if (output.clock_went_back) {
        await print.note("The server's clock was set back here: earlier lines have later times");
      }
      await printOutput(print, addTimestamps(output));
    },
  );
  return EXIT_CODE.OK;
}
