/** Prints the changes of a job's status, one per line. */
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { statusJson } from "./message_json.ts";
import type { Print } from "./print.ts";
import { colourByState, stateText } from "./status_text.ts";

/** Prints one status: the state with its details, or all of it as JSON. */
function printStatus(print: Print, status: JobStatus): Promise<void> {
  return print.isJson
    ? print.jsonLine(statusJson(status))
    : print.line(colourByState(print, status, stateText(status)));
}

/**
 * Prints every status of a stream when it arrives.
 *
 * @returns the last one
 * @throws {Error} when the stream ends without a status
 */
export async function printStatuses(print: Print, statuses: AsyncIterable<JobStatus>): Promise<JobStatus> {
  let last: JobStatus | undefined;
  for await (const status of statuses) {
    await printStatus(print, status);
    last = status;
  }
  if (last === undefined) throw new Error("The server closed the stream without a status: try again");
  return last;
}
