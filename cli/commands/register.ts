/** `teleport register`: adds a job without starting it and prints its id. */
import type { Command } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE } from "../exit_code.ts";
import { Outages } from "../follow/outage.ts";
import { addJobOptions, addLikeOption, type JobFlags, jobRequest, withEnvFiles } from "../options/job_options.ts";
import { statusJson } from "../print/message_json.ts";
import { registerJob } from "../follow/register_job.ts";
import { withTerminal } from "../terminal/terminal_request.ts";

export const declare: Declare = (command, runner) => {
  addLikeOption(addJobOptions(command)).passThroughOptions()
    .action(async (name: string | undefined, args: string[], flags: JobFlags, self: Command) => {
      const request = jobRequest(name, args, await withEnvFiles(flags));
      await runner.call(
        self,
        (context) => register(context, flags.tty ? withTerminal(request, context.io.terminal) : request),
      );
    });
};

/** Registers the job. */
async function register({ calls, print }: Context, request: Sent<JobRequest>): Promise<number> {
  const status = await registerJob(calls, request, new Outages(print));
  try {
    await (print.isJson ? print.jsonLine(statusJson(status)) : print.line(escapeTerminal(status.id)));
  } catch (error) {
    await print.note(`Job "${status.id}" was registered: "teleport rm ${status.id}" removes it`).catch(() => {});
    throw error;
  }
  return EXIT_CODE.OK;
}
