/** The call WatchJobs: streams the changes of many jobs. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { eventMessage, heartbeatEvent } from "../convert/job_events.ts";
import { filterOf } from "../convert/job_filters.ts";
import { checkHeartbeat, heartbeatsUntil } from "./heartbeat.ts";
import type { HandlerParts } from "./parts.ts";

/** The most ids that the library watches at once. */
const MAX_IDS = 1_000;

export function watchJobsHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["WatchJobs"] {
  return async function* (request, context) {
    const { owner: onlyOwner, shows } = permissions.permitMany("WatchJobs", context);
    const { token } = request;
    // The library refuses more ids. Looking up one more is enough to get there.
    const ids = request.ids.slice(0, MAX_IDS + 1);
    // With a token the jobs existed before, and their removal is an event instead of an error.
    if (token === "") await permissions.permitAll("WatchJobs", ids, context);
    const visible = token === "" ? ids : await permissions.hideOthers(ids, context);
    const owner = onlyOwner ?? request.owner;
    const filter = { ...filterOf(request), ids: visible, ...(owner === "" ? {} : { owner }) };
    const options = { signal: context.signal, ...(token === "" ? {} : { token }) };
    const heartbeatMs = checkHeartbeat(request.heartbeat_ms);
    // After a token there may be no event for long. A heartbeat shows at once that the watch works again.
    if (heartbeatMs > 0 && token !== "") yield heartbeatEvent(token);
    await using events = supervisor.watchJobs(filter, options);
    let last = token;
    while (true) {
      const result = events.next();
      if (heartbeatMs > 0) {
        for await (const _ of heartbeatsUntil(result, heartbeatMs, context.signal)) yield heartbeatEvent(last);
      }
      const { done, value: event } = await result;
      if (done) return;
      last = event.token;
      // A caller who sees only own jobs, and asks for another owner, gets none of them.
      if ("status" in event && request.owner !== "" && event.status.owner !== request.owner) continue;
      if (shows !== undefined && "status" in event && !shows(event.status)) continue;
      yield eventMessage(event);
    }
  };
}
