/** `teleport rerun`: runs a job again with the same command and options. */
import type { Command } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { JobRequest } from "../../proto/teleport/v1/job_worker.ts";
import type { Declare } from "../command.ts";
import { defined } from "../../base/defined.ts";
import { UsageError } from "../../units/usage_error.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { Outages, retryUntilAnswered } from "../follow/outage.ts";
import { resolveJob, retried } from "../follow/resolve.ts";
import { addPair } from "../options/job_options.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { addDetachKeysOption, type DetachKeysFlags } from "../terminal/detach_keys_option.ts";
import { run, runDetached } from "./run.ts";

const NOTES = `
The new job has the command, environment, directory and options of the other one, which may still run. A job with an
input gets the standard input of this command. A job with a terminal gets this terminal, as with "teleport run -it".
The name is not repeated. Exits as "teleport run" does.

For another command in the same directory and environment: teleport run --like ID COMMAND.`;

interface RerunFlags extends RetryFlags, DetachKeysFlags {
  readonly stdin?: true;
  readonly detach?: true;
  readonly name?: string;
  readonly label?: Record<string, string>;
}

export const declare: Declare = (command, runner) => {
  addDetachKeysOption(addRetryOption(command))
    .option("-i, --stdin", "give the job a standard input, also when the other one has none")
    .option("-d, --detach", "start the job, print its id and exit")
    .option("--name <NAME>", "a name to find the new job by")
    .option(
      "-l, --label <KEY=VALUE>",
      "a label in place of those of the other job; repeatable",
      (text: string, before?: Record<string, string>) => addPair(text, before, { name: "--label", form: "KEY=VALUE" }),
    )
    .addHelpText("after", NOTES)
    .action(async (rerun: string, flags: RerunFlags, self: Command) => {
      const { detach, name = "", label = {}, stdin: input = false, retryFor } = flags;
      const request: Sent<JobRequest> = { rerun, name, labels: label, input };
      await runner.call(
        self,
        (context) => detach ? runDetached(context, request, retryFor) : runAgain(context, request, flags),
      );
    });
};

/** Runs the job in the foreground, on this terminal if the other job has a terminal. */
async function runAgain(context: Context, request: Sent<JobRequest>, flags: RerunFlags): Promise<number> {
  const { calls, io, print } = context;
  const outages = new Outages(print, flags.retryFor);
  const id = await resolveJob(retried(calls, outages), request.rerun ?? "");
  const { terminal } = await retryUntilAnswered(() => calls.Status({ id }, { deadlineMs: CALL_DEADLINE_MS }), outages);
  const again = { ...request, rerun: id };
  const { retryFor, detachKeys } = flags;
  const common = defined({ retryFor, detachKeys });
  if (!terminal) return await run(context, again, common);
  if (!io.terminal.isTerminal()) {
    throw new UsageError("The job has a terminal, and the standard input is none: add --detach, or use a terminal");
  }
  if (print.isJson) throw new UsageError("The job has a terminal, which excludes --output json: add --detach");
  return await run(context, { ...again, terminal: io.terminal.size() }, { ...common, tty: true });
}
