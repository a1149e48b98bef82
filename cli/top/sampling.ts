/** Reads what jobs use and the last lines of their output, a few calls at a time. */
import type { JobWorkerClient } from "../../proto/service.ts";
import { CALL_DEADLINE_MS } from "../context.ts";
import type { JobSamples, TopJob } from "./job_samples.ts";

/** The calls at a time. */
const MAX_AT_ONCE = 8;

/** The most bytes of a last line. */
const MAX_LINE_BYTES = 4_096;

/** Samples the jobs. A job whose calls fail keeps what is known: it may have been removed. */
export async function sampleJobs(
  calls: Pick<JobWorkerClient, "Status" | "GetOutput">,
  samples: JobSamples,
  jobs: readonly TopJob[],
  nowMs: () => number,
  signal?: AbortSignal,
): Promise<void> {
  const waiting = [...jobs];
  const work = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      if (signal?.aborted) return;
      await sampleJob(calls, samples, job, nowMs, signal).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: MAX_AT_ONCE }, work));
}

async function sampleJob(
  calls: Pick<JobWorkerClient, "Status" | "GetOutput">,
  samples: JobSamples,
  { status: { id }, lineAtBytes }: TopJob,
  nowMs: () => number,
  signal?: AbortSignal,
): Promise<void> {
  const options = { deadlineMs: CALL_DEADLINE_MS, ...(signal === undefined ? {} : { signal }) };
  const status = await calls.Status({ id }, options);
  samples.measure(status, nowMs(), Date.now());
  const bytes = status.stdout_bytes + status.stderr_bytes;
  if (bytes === lineAtBytes) return;
  const line: number[] = [];
  for await (const { data } of calls.GetOutput({ id, follow: false, tail_lines: 1 }, options)) {
    line.push(...data.subarray(0, MAX_LINE_BYTES - line.length));
    // A line may be as long as the output.
    if (line.length >= MAX_LINE_BYTES) break;
  }
  samples.setLastLine(id, Uint8Array.from(line), bytes);
}
