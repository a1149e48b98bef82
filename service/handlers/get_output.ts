/** The call GetOutput: streams the output of a job, then its summary. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { endMessage, outputMessage, selectionOf } from "../convert/output.ts";
import { refuseFields } from "../convert/unsupported.ts";
import { checkHeartbeat, heartbeatsUntil } from "./heartbeat.ts";
import type { HandlerParts } from "./parts.ts";

export function getOutputHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["GetOutput"] {
  return async function* (request, context) {
    await permissions.permit("GetOutput", request.id, context);
    refuseFields(request, ["grep", "grep_ignore_case"]);
    const heartbeatMs = checkHeartbeat(request.heartbeat_ms);
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
