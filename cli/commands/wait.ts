/** `teleport wait`: waits for jobs to end and exits as they did. */
import { type Command, Option } from "commander";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE, jobExitCode } from "../exit_code.ts";
import { followJobs, JobEnds } from "../follow/follow_jobs.ts";
import { Outages } from "../follow/outage.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { statusJson } from "../print/message_json.ts";
import { colourByState, stateText } from "../print/status_text.ts";

const NOTES = `
With several jobs it prints how each ended. The exit code is that of the job, as with "teleport run". With --any it is
that of the first job to end. With --all it is the first one that is not 0, in the order of the ids.`;

interface WaitFlags extends RetryFlags {
  /** True waits for the first job to end, else for all. */
  readonly any?: true;
}

export const declare: Declare = (command, runner) => {
  addRetryOption(command)
    .addOption(new Option("--any", "wait for the first job to end").conflicts("all"))
    .addOption(new Option("--all", "wait for all jobs to end (default)"))
    .addHelpText("after", NOTES)
    .action(async (ids: string[], flags: WaitFlags, self: Command) => {
      await runner.call(self, (context) => wait(context, ids, flags));
    });
};

/**
 * Waits for the jobs, through outages of the server. Prints how each ended, as JSON or when there are several.
 *
 * @returns the exit code of the job, as `run` has it. With several jobs: that of the first job to end, or the first
 * one that is not 0 in the order of the ids
 */
async function wait({ calls, print }: Context, ids: readonly string[], flags: WaitFlags): Promise<number> {
  const ends = new JobEnds(ids);
  const isOne = ends.pending.size === 1;
  for await (const event of followJobs(calls, { ids: [...ends.pending] }, new Outages(print, flags.retryFor))) {
    const job = ends.apply(event);
    if (job !== undefined && print.isJson) await print.jsonLine(statusJson(job));
    else if (job !== undefined && !isOne) {
      await print.line(`${escapeTerminal(job.id)} ${colourByState(print, job, stateText(job))}`);
    }
    if (ends.pending.size === 0 || (flags.any && ends.ended.size > 0)) break;
  }
  if (ends.removed.length > 0 && !(flags.any && ends.ended.size > 0)) {
    throw new Error(`Job "${ends.removed[0]}" was removed before it ended`);
  }
  const codes = ids.flatMap((id) => ends.ended.get(id) ?? []).map(jobExitCode);
  return codes.find((code) => code !== EXIT_CODE.OK) ?? EXIT_CODE.OK;
}
