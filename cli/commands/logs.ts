/** `teleport logs`: prints a job's output. */
import type { Sent } from "../../proto/service.ts";
import type { GetOutputRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { followOutput } from "../follow_output.ts";
import { Outages } from "../outage.ts";
import { printOutput } from "../print_output.ts";
import { createStamps } from "../stamps.ts";

/** Which output to print, and how. */
export interface LogsOptions {
  /** Goes on to the job's end, through outages of the server. */
  readonly follow: boolean;
  readonly selection: Omit<Sent<GetOutputRequest>, "id" | "follow">;
  /** Puts the time before each line. */
  readonly timestamps: boolean;
  /** How long an outage may last, in milliseconds. */
  readonly retryForMs: number;
}

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
