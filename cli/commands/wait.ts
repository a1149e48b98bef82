/** `teleport wait`: waits for jobs to end and exits as they did. */
import type { Context } from "../context.ts";
import { EXIT_CODE, jobExitCode } from "../exit_code.ts";
import { Ends, followJobs } from "../follow/follow_jobs.ts";
import { statusJson } from "../print/message_json.ts";
import { Outages } from "../follow/outage.ts";
import { escapeTerminal } from "../../text/escape_terminal.ts";
import { inStateColour, stateText } from "../print/status_text.ts";

/** What is waited for. */
export interface WaitOptions {
  /** The first of the jobs to end; absent: all of them. */
  readonly any?: boolean;
  /** How long an outage of the server may last, in milliseconds. */
  readonly retryForMs?: number | undefined;
}

/**
 * Waits for the jobs, through outages of the server. Prints how each ended, as JSON or where there are several.
 *
 * @returns the exit code of the job, as `run` has it. Of several: that of the first to end, or where all are waited for,
 * in the order of the ids the first that is not 0
 */
export async function wait({ calls, print }: Context, ids: readonly string[], options: WaitOptions): Promise<number> {
  const ends = new Ends(ids);
  const isOne = ends.left.size === 1;
  for await (const event of followJobs(calls, { ids: [...ends.left] }, new Outages(print, options.retryForMs))) {
    const job = ends.take(event);
    if (job !== undefined && print.json) await print.record(statusJson(job));
    else if (job !== undefined && !isOne) {
      await print.line(`${escapeTerminal(job.id)} ${inStateColour(print, job, stateText(job))}`);
    }
    if (ends.left.size === 0 || (options.any && ends.ended.size > 0)) break;
  }
  if (ends.removed.length > 0 && !(options.any && ends.ended.size > 0)) {
    throw new Error(`Job "${ends.removed[0]}" was removed before it ended`);
  }
  const codes = ids.flatMap((id) => ends.ended.get(id) ?? []).map(jobExitCode);
  return codes.find((code) => code !== EXIT_CODE.OK) ?? EXIT_CODE.OK;
}
