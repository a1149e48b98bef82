/** `teleport wait`: waits for a job's end and exits as the job did. */
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Context } from "../context.ts";
import { jobExitCode } from "../exit_code.ts";
import { statusJson } from "../message_json.ts";
import { isFinal } from "../status_text.ts";

/**
 * Waits for the job. Prints nothing but, as JSON, the final status.
 *
 * @returns the exit code of the job, as `run` has it
 */
export async function wait({ calls, print }: Context, id: string): Promise<number> {
  let last: JobStatus | undefined;
  for await (const status of calls.StatusStream({ id })) last = status;
  if (last === undefined || !isFinal(last.state)) {
    throw new Error(`The server closed the stream before job "${id}" ended: try again`);
  }
  if (print.json) await print.record(statusJson(last));
  return jobExitCode(last);
}
