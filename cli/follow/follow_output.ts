/** Reads a job's output to its end, through outages of the server, and verifies that it is complete. */
import type { JobWorkerClient } from "../../proto/service.ts";
import type { JobOutput, OutputEnd } from "../../proto/teleport/v1/job_worker.ts";
import { withLaterAges } from "../../units/moment.ts";
import type { Outages } from "./outage.ts";
import { OutputCheck, OutputMismatchError, type OutputRequest, unexpectedEnd } from "./output_check.ts";
import { SearchCheck } from "./search_check.ts";
import { endWhenSilent, HEARTBEAT_MS, MAX_SILENCE_MS } from "./silence.ts";

/** The output to read. */
export interface FollowOutputOptions {
  /** The job and the selection of its output. */
  readonly request: OutputRequest;
  /** Ends the reading. The error of the cancelled call is thrown. */
  readonly signal?: AbortSignal;
  /** Bridges outages of the server. Absent: an outage ends the reading. */
  readonly outages?: Outages;
}

/**
 * Reads the selected output and passes each chunk and each gap to `write`. It waits for `write`, so that a slow consumer
 * slows the server and memory does not grow. After an outage it continues after the last chunk.
 *
 * @returns the summary of the stream
 * @throws {OutputMismatchError} when output is missing, doubled or altered, or the summary did not arrive
 */
export async function followOutput(
  calls: Pick<JobWorkerClient, "GetOutput">,
  options: FollowOutputOptions,
  write: (message: JobOutput) => Promise<void>,
): Promise<OutputEnd> {
  const { request, signal, outages } = options;
  const check = request.grep ? new SearchCheck() : new OutputCheck(request);
  let nextRequest = request;
  const beganMs = performance.now();
  while (true) {
    try {
      for await (const message of read(calls, withLaterAges(nextRequest, performance.now() - beganMs), signal)) {
        const isHeartbeat = message.end === null && message.data.length === 0 && message.dropped_bytes === 0;
        await outages?.answered(!isHeartbeat);
        if (message.end !== null) {
          check.verify(message.end);
          await write(message);
          return message.end;
        }
        // The first heartbeat has the cursor at which the output begins. Without it, a tail would begin later next time.
        if (isHeartbeat) {
          if (message.cursor !== "") nextRequest = resumeAfter(request, message.cursor);
          continue;
        }
        const news = check.receive(message);
        // Not after a gap: the gap of the other stream has the same cursor and would be lost.
        if (message.data.length > 0 && message.cursor !== "") nextRequest = resumeAfter(request, message.cursor);
        if (news !== undefined) await write(news);
      }
    } catch (error) {
      if (outages === undefined || error instanceof OutputMismatchError) throw error;
      await outages.wait(error, signal);
      continue;
    }
    throw unexpectedEnd(request.id);
  }
}

/** Makes one call. When following, heartbeats distinguish a quiet job from a lost connection. */
function read(
  calls: Pick<JobWorkerClient, "GetOutput">,
  request: OutputRequest,
  signal: AbortSignal | undefined,
): AsyncIterable<JobOutput> {
  if (!request.follow) return calls.GetOutput(request, signal === undefined ? {} : { signal });
  return endWhenSilent(
    (signal) => calls.GetOutput({ ...request, heartbeat_ms: HEARTBEAT_MS }, { signal }),
    MAX_SILENCE_MS,
    signal,
  );
}

/** Returns the request that continues after a cursor, without the fields that set the beginning. */
function resumeAfter(request: OutputRequest, cursor: string): OutputRequest {
  const { tail_lines: _lines, tail_bytes: _bytes, since: _since, since_age_ms: _age, ...rest } = request;
  return { ...rest, cursor };
}
