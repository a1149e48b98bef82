/** Follows many jobs through outages of the server, and misses no change. */
import type { JobWorkerClient, Sent } from "../../proto/service.ts";
import type { JobEvent, JobStatus, WatchJobsRequest } from "../../proto/teleport/v1/job_worker.ts";
import { withLaterAges } from "../../units/moment.ts";
import { isFinal } from "../print/status_text.ts";
import type { Outages } from "./outage.ts";
import { endWhenSilent, HEARTBEAT_MS, MAX_SILENCE_MS } from "./silence.ts";

/**
 * Yields the events of a stream. When the stream breaks off, the next one continues after the last event. If the server no
 * longer has the events since then, the next stream begins with the jobs as they are.
 *
 * @param request the jobs
 * @param signal ends the watch, with the error of the cancelled call
 */
export async function* followJobs(
  calls: Pick<JobWorkerClient, "WatchJobs">,
  request: Sent<WatchJobsRequest>,
  outages: Outages,
  signal?: AbortSignal,
): AsyncGenerator<JobEvent, never, void> {
  let token = "";
  const beganMs = performance.now();
  while (true) {
    try {
      const open = (signal: AbortSignal) =>
        calls.WatchJobs(
          { ...withLaterAges(request, performance.now() - beganMs), token, heartbeat_ms: HEARTBEAT_MS },
          { signal },
        );
      for await (const event of endWhenSilent(open, MAX_SILENCE_MS, signal)) {
        const isHeartbeat = event.kind === "JOB_EVENT_KIND_HEARTBEAT";
        // The events may be those of other job hosts, and the first ones need none.
        await outages.answered(!isHeartbeat, false);
        if (isHeartbeat) continue;
        token = event.token;
        yield event;
      }
      throw new Error("The server closed a stream that has no end: try again");
    } catch (error) {
      await outages.wait(error, signal);
    }
  }
}

/** The ends of jobs that are followed by their ids. */
export class JobEnds {
  /** The final status of each job that has ended, in the order of their ends. */
  readonly ended = new Map<string, JobStatus>();
  /** The ids of jobs that were neither seen to end nor removed. */
  readonly pending: Set<string>;
  /** The ids of jobs that were removed before their end was seen. */
  readonly removed: string[] = [];
  #known = new Set<string>();

  constructor(ids: readonly string[]) {
    this.pending = new Set(ids);
  }

  /** Applies an event. Returns the job when it ended by it. */
  apply({ kind, job }: JobEvent): JobStatus | undefined {
    // After the stream had to begin again, jobs that are missing were removed meanwhile.
    if (kind === "JOB_EVENT_KIND_CURRENT") {
      for (const id of this.pending) if (!this.#known.has(id)) this.#remove(id);
      this.#known.clear();
    }
    if (job === null) return undefined;
    if (kind === "JOB_EVENT_KIND_KNOWN") this.#known.add(job.id);
    if (isFinal(job.state) && this.pending.delete(job.id)) {
      this.ended.set(job.id, job);
      return job;
    }
    if (kind === "JOB_EVENT_KIND_REMOVED") this.#remove(job.id);
    return undefined;
  }

  #remove(id: string): void {
    if (this.pending.delete(id)) this.removed.push(id);
  }
}
