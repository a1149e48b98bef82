/** Events of several jobs, and a server that sends them, for the tests of `wait` and `watch`. */
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobEvent, JobEventKind, JobStatus } from "../../proto/teleport/v1/job_worker.ts";
import { exited, running } from "./cli_messages.ts";
import { FakeCallError, FakeIo } from "./fake_io.ts";

export function event(kind: "KNOWN" | "CURRENT" | "CHANGED" | "REMOVED", job: JobStatus | null, token = "t"): JobEvent {
  const full: JobEventKind = `JOB_EVENT_KIND_${kind}`;
  return { kind: full, job, time: null, token, reason: "REASON_UNSPECIFIED", by: "" };
}

export const current = event("CURRENT", null);
export const a = { ...running(), id: "a" };
export const b = { ...running(), id: "b" };
export const aEnded = { ...exited(0), id: "a" };
export const bEnded = { ...exited(7), id: "b" };

/** A server that sends these events, one stream per call. An error breaks off a stream. */
export function server(...streams: (JobEvent[] | Error)[][]) {
  const asked: Parameters<JobWorkerClient["WatchJobs"]>[0][] = [];
  async function* WatchJobs(request: Parameters<JobWorkerClient["WatchJobs"]>[0]): AsyncGenerator<JobEvent> {
    asked.push(request);
    for (const part of streams.shift() ?? []) {
      if (part instanceof Error) throw part;
      yield* await Promise.resolve(part);
    }
  }
  return { asked, io: new FakeIo({ WatchJobs }) };
}

export const lost = new FakeCallError("UNAVAILABLE", "Connection lost");
