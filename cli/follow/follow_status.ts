/** Follows a job's status to its end, through outages of the server, and tells no status twice. */
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import type { Outages } from "./outage.ts";
import { isFinal } from "../print/status_text.ts";

/**
 * Yields the statuses of one stream after the other: when one breaks off, the next begins with the status of then.
 *
 * @param open makes a call whose stream begins with the status of then
 */
export async function* followStatus(
  open: () => AsyncIterable<JobStatus>,
  outages: Outages,
  signal?: AbortSignal,
): AsyncGenerator<JobStatus, void, void> {
  let last: JobStatus | undefined;
  while (true) {
    try {
      let isFirst = true;
      for await (const status of open()) {
        // After an outage the first may be the one that was told before it.
        const isKnown = isFirst && last?.state === status.state;
        isFirst = false;
        await outages.answered(!isKnown);
        if (isKnown) continue;
        last = status;
        yield status;
      }
      return;
    } catch (error) {
      if (last !== undefined && isFinal(last.state)) return;
      await outages.wait(error, signal);
    }
  }
}
