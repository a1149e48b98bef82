/** Follows a job's status to its end, through outages of the server, without repeating a status. */
import type { JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { isFinal } from "../print/status_text.ts";
import type { Outages } from "./outage.ts";

/**
 * Yields the statuses of a stream. When the stream breaks off, it opens the next one, which begins with the status then.
 *
 * @param open makes the call
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
        // After an outage the first status may be the one before it.
        const isKnown = isFirst && last?.state === status.state && last.placement?.handle === status.placement?.handle;
        // The first status needs no job host.
        await outages.answered(!isKnown, !isKnown && !isFirst);
        isFirst = false;
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
