/** The output of a job: the selection of a request, and the messages of an answer. */
import { defined } from "../../base/defined.ts";
import type { OutputChunk, OutputEnd, OutputSelection } from "../../mod.ts";
import type { Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { knownValue } from "./known_value.ts";
import { statusMessage } from "./status.ts";
import { momentOf, timestamp } from "./timestamps.ts";

/** Returns the output that a request selects. */
export function selectionOf(request: wire.GetOutputRequest): OutputSelection {
  const stream = streamOf(request.stream);
  const since = momentOf("since", request.since_age_ms, request.since);
  const until = momentOf("until", request.until_age_ms, request.until);
  return {
    follow: request.follow ?? true,
    exact: request.exact_pieces,
    ...(request.cursor === "" ? {} : { cursor: request.cursor }),
    ...defined({ stream, tailLines: request.tail_lines, tailBytes: request.tail_bytes, since, until }),
  };
}

/** Returns the stream that a request selects; undefined for both. */
function streamOf(stream: wire.Stream): "stdout" | "stderr" | undefined {
  if (knownValue("stream", stream) === "STREAM_STDOUT") return "stdout";
  return stream === "STREAM_STDERR" ? "stderr" : undefined;
}

/** The messages of chunks. Watchers at the same position share a chunk and its message, which is then encoded once. */
const outputMessages = new WeakMap<OutputChunk, Sent<wire.JobOutput>>();

/** Returns a chunk of output as a message, always the same one for the same chunk. */
export function outputMessage(chunk: OutputChunk): Sent<wire.JobOutput> {
  // An empty chunk only has the cursor of the beginning, like a heartbeat.
  if (chunk.data.length === 0 && chunk.droppedBytes === 0) return { cursor: chunk.cursor };
  let message = outputMessages.get(chunk);
  if (message === undefined) {
    message = {
      data: chunk.data,
      stream: chunk.stream === "stdout" ? "STREAM_STDOUT" : "STREAM_STDERR",
      offset: chunk.offset,
      time: timestamp(chunk.time),
      cursor: chunk.cursor,
      dropped_bytes: chunk.droppedBytes,
      clock_went_back: chunk.clockWentBack,
    };
    outputMessages.set(chunk, message);
  }
  return message;
}

/** Returns the summary of the output as a message. */
export function endMessage(end: OutputEnd): Sent<wire.JobOutput> {
  return {
    cursor: end.cursor,
    end: {
      stdout_bytes: end.stdoutBytes,
      stderr_bytes: end.stderrBytes,
      dropped_bytes: end.droppedBytes,
      stdout_sha256: end.stdoutSha256,
      stderr_sha256: end.stderrSha256,
      status: statusMessage(end.status),
    },
  };
}
