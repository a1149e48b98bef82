/** `teleport can-i`: prints whether a call would be allowed, and which rule decides it. The call is not made. */
import type { Command } from "commander";
import type { Sent } from "../../proto/service.ts";
import type { CanIRequest } from "../../proto/teleport/v1/job_worker.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { UsageError } from "../../units/usage_error.ts";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { callStatus, EXIT_CODE } from "../exit_code.ts";
import { resolveJob } from "../follow/resolve.ts";
import { addJobOptions, type JobFlags, jobRequest, withEnvFiles } from "../options/job_options.ts";

const NOTES = `
Examples:
  teleport can-i list
  teleport can-i stop --job ID
  teleport can-i register -- make -j8

Exit code: 0 allowed; 1 not allowed; 2 the call is unknown; others as with every command.`;

interface CanIFlags extends JobFlags {
  readonly job?: string;
}

export const declare: Declare = (command, runner) => {
  addJobOptions(command)
    .option("--job <ID>", "the job that the call is for")
    .addHelpText("after", NOTES)
    .action(async (call: string, name: string | undefined, args: string[], flags: CanIFlags, self: Command) => {
      const hasJob = name !== undefined || flags.template !== undefined;
      const job = hasJob ? { job: jobRequest(name, args, await withEnvFiles(flags)) } : {};
      await runner.call(self, (context) => canI(context, { call, id: flags.job ?? "", ...job }));
    });
};

/**
 * Asks the server.
 *
 * @returns 0 when the call is allowed, else 1
 * @throws {UsageError} when the call is unknown
 */
async function canI({ calls, print }: Context, request: Sent<CanIRequest>): Promise<number> {
  const id = request.id ? await resolveJob(calls, request.id) : "";
  const { allowed, rule, code } = await calls.CanI({ ...request, id }, { deadlineMs: CALL_DEADLINE_MS }).catch(
    (error) => {
      throw callStatus(error) === "INVALID_ARGUMENT" ? new UsageError(error.message) : error;
    },
  );
  const answer = allowed ? print.styled("green", "yes") : print.styled("red", "no");
  await (print.isJson ? print.jsonLine({ allowed, rule, code }) : print.line(`${answer}: ${escapeTerminal(rule)}`));
  return allowed ? EXIT_CODE.OK : EXIT_CODE.FAILED;
}
