/** `teleport wait`: waits for jobs to end and exits as they did. */
import { type Command, Option } from "commander";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import type { Declare } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT_CODE, jobExitCode } from "../exit_code.ts";
import { formatDuration } from "../../base/number_text.ts";
import { parseDurationMs } from "../../units/duration.ts";
import { followJobs, JobEnds } from "../follow/follow_jobs.ts";
import { Outages } from "../follow/outage.ts";
import { resolveJobs, retried } from "../follow/resolve.ts";
import { addFilterOptions, type FilterFlags } from "../options/filter_options.ts";
import { checkSelection, selectJobs, UNENDED_STATES } from "../options/job_selection.ts";
import { addRetryOption, type RetryFlags } from "../options/retry_option.ts";
import { statusJson } from "../print/message_json.ts";
import { colourByState, stateText, unseenEnd } from "../print/status_text.ts";

const NOTES = `
With several jobs it prints how each ended. The exit code is that of the job, as with "teleport run". With --any it is
that of the first job to end. With --all it is the first one that is not 0, in the order of the ids. It is 124 when
--timeout has passed, as of a job that ran longer than its own time limit. Filters select jobs that have not ended.`;

interface WaitFlags extends RetryFlags, FilterFlags {
  /** True waits for the first job to end, else for all. */
  readonly any?: true;
  /** In milliseconds. */
  readonly timeout?: number;
}

/** The longest time to wait, in milliseconds. */
const MAX_TIMEOUT_MS = 24 * 24 * 3_600_000;

export const declare: Declare = (command, runner) => {
  addRetryOption(addFilterOptions(command))
    .addOption(new Option("--any", "wait for the first job to end").conflicts("all"))
    .addOption(new Option("--all", "wait for all jobs to end (default)"))
    .option(
      "--timeout <DURATION>",
      "wait no longer than this, such as 30s; the jobs continue, and the exit code is 124",
      (text) => parseDurationMs(text, { name: "--timeout", minMs: 0, maxMs: MAX_TIMEOUT_MS }),
    )
    .addHelpText("after", NOTES)
    .action(async (ids: string[], flags: WaitFlags, self: Command) => {
      checkSelection(ids, flags);
      await runner.call(self, (context) => wait(context, ids, flags));
    });
};

/**
 * Waits for the jobs, through outages of the server. Prints how each ended, as JSON or when there are several.
 *
 * @returns the exit code of the job, as `run` has it. With several jobs: that of the first job to end, or the first
 * one that is not 0 in the order of the ids
 */
async function wait(context: Context, texts: readonly string[], flags: WaitFlags): Promise<number> {
  const { calls, print } = context;
  const selected = await selectJobs(context, texts, flags, UNENDED_STATES);
  // Without ids, all jobs would be watched.
  if (selected.length === 0) return EXIT_CODE.OK;
  const ids = await resolveJobs(retried(calls, new Outages(print, flags.retryFor)), selected);
  const ends = new JobEnds(ids);
  const over = new AbortController();
  const timer = flags.timeout === undefined ? undefined : setTimeout(() => over.abort(), flags.timeout);
  try {
    await untilEnded({ calls, print }, ends, flags, over.signal);
  } catch (error) {
    if (!over.signal.aborted) throw error;
    const running = [...ends.pending].map((id) => `"${id}"`).join(", ");
    await print.note(`Waited for ${formatDuration(flags.timeout!)}, and not ended: job ${running}`);
    return EXIT_CODE.TIMED_OUT;
  } finally {
    clearTimeout(timer);
  }
  if (ends.removed.length > 0 && !(flags.any && ends.ended.size > 0)) {
    throw new Error(`Job "${ends.removed[0]}" was removed before it ended`);
  }
  const codes = ids.flatMap((id) => ends.ended.get(id) ?? []).map(jobExitCode);
  return codes.find((code) => code !== EXIT_CODE.OK) ?? EXIT_CODE.OK;
}

/** Follows the jobs until all have ended, or the first one. */
async function untilEnded(
  { calls, print }: Pick<Context, "calls" | "print">,
  ends: JobEnds,
  flags: WaitFlags,
  signal: AbortSignal,
): Promise<void> {
  const isOne = ends.pending.size === 1;
  const request = { ids: [...ends.pending] };
  for await (const event of followJobs(calls, request, new Outages(print, flags.retryFor), signal)) {
    const job = ends.apply(event);
    if (job !== undefined && print.isJson) await print.jsonLine(statusJson(job));
    else if (job !== undefined && !isOne) {
      await print.line(`${escapeTerminal(job.id)} ${colourByState(print, job, stateText(job))}`);
    }
    // The exit code alone could be the job's own.
    const sentence = isOne ? unseenEnd(job) : undefined;
    if (sentence !== undefined) await print.note(`Job "${job?.id}" is ${sentence}`);
    if (ends.pending.size === 0 || (flags.any && ends.ended.size > 0)) break;
  }
}
