/** The call GetOutput: streams the output of a job, or the lines of it that match, then its summary. */
import type { OutputChunk, OutputEnd, Watch } from "../../mod.ts";
import type { CallContext, JobWorkerHandlers } from "../../proto/service.ts";
import type { GetOutputRequest } from "../../proto/teleport/v1/job_worker.ts";
import { endMessage, outputMessage, selectionOf } from "../convert/output.ts";
import { checkHeartbeat, heartbeatsUntil } from "./heartbeat.ts";
import type { HandlerParts } from "./parts.ts";

export function getOutputHandler(parts: HandlerParts): JobWorkerHandlers["GetOutput"] {
  const { supervisor, permissions } = parts;
  return async function* (request, context) {
    await permissions.permit("GetOutput", request.id, context);
    const heartbeatMs = checkHeartbeat(request.heartbeat_ms);
    if (request.grep !== "") return yield* searchOutput(parts, request, context, heartbeatMs);
    // The first heartbeat comes at once, so a follower can resume before the first byte of output.
    const options = { ...selectionOf(request), startCursor: heartbeatMs > 0, signal: context.signal };
    await using chunks = supervisor.watchOutput(request.id, options);
    let cursor = request.cursor;
    while (true) {
      const result = chunks.next();
      // Skipped without heartbeats: a chunk can wake a thousand watchers at once.
      if (heartbeatMs > 0) {
        for await (const _ of heartbeatsUntil(result, heartbeatMs, context.signal)) yield { cursor };
      }
      const { done, value } = await result;
      if (done) {
        yield endMessage(value);
        return;
      }
      cursor = value.cursor;
      yield outputMessage(value);
    }
  };
}

/** Streams the lines that match. Between two of them it may search gigabytes, so the heartbeats have its present cursor. */
async function* searchOutput(
  { supervisor }: HandlerParts,
  request: GetOutputRequest,
  { signal, turn }: CallContext,
  heartbeatMs: number,
): ReturnType<JobWorkerHandlers["GetOutput"]> extends AsyncIterable<infer Message> ? AsyncGenerator<Message> : never {
  // Loaded when it is first needed, because most servers never search.
  const [{ LinePattern }, { OutputSearch }, { parseSearchCursor }] = await Promise.all([
    import("../search/line_pattern.ts"),
    import("../search/search_output.ts"),
    import("../search/search_cursor.ts"),
  ]);
  const pattern = new LinePattern(request.grep, { ignoreCase: request.grep_ignore_case });
  const place = parseSearchCursor(request.cursor);
  const selection = selectionOf({ ...request, cursor: place.cursor });
  await using chunks: Watch<OutputChunk, OutputEnd> = supervisor.watchOutput(request.id, {
    ...selection,
    startCursor: true,
    signal,
  });
  const search = new OutputSearch({ pattern, place, turn });
  const matches = search.run(chunks);
  if (heartbeatMs > 0) yield { cursor: request.cursor };
  while (true) {
    const result = matches.next();
    if (heartbeatMs > 0) {
      for await (const _ of heartbeatsUntil(result, heartbeatMs, signal)) yield { cursor: search.cursor };
    }
    const { done, value } = await result;
    if (done) {
      yield endMessage(value);
      return;
    }
    yield outputMessage(value);
  }
}
