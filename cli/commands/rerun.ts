/** `teleport rerun`: runs a job again with the same command and options. */
import type { Command } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { Declare } from "../command.ts";
import { addPair } from "../options/job_options.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { run, runDetached } from "./run.ts";

const NOTES = `
The new job has the command, environment, directory and options of the other one, which may still run. A job with an
input gets the standard input of this command. The name is not repeated. Exits as "teleport run" does.

For another command in the same directory and environment: teleport run --like ID COMMAND.`;

interface RerunFlags extends RetryFlags {
  readonly detach?: true;
  readonly name?: string;
  readonly label?: Record<string, string>;
}

export const declare: Declare = (command, runner) => {
  addRetryOption(command)
    .option("-d, --detach", "start the job, print its id and exit")
    .option("--name <NAME>", "a name to find the new job by")
    .option(
      "-l, --label <KEY=VALUE>",
      "a label in place of those of the other job; repeatable",
      (text: string, before?: Record<string, string>) => addPair(text, before, { name: "--label", form: "KEY=VALUE" }),
    )
    .addHelpText("after", NOTES)
    .action(async (rerun: string, { detach, name = "", label = {}, retryFor }: RerunFlags, self: Command) => {
      const request: Sent<JobRequest> = { rerun, name, labels: label };
      const flags = retryFor === undefined ? {} : { retryFor };
      await runner.call(
        self,
        (context) => detach ? runDetached(context, request, retryFor) : run(context, request, flags),
      );
    });
};
