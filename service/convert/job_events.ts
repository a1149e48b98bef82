/** The events of WatchJobs as messages. */
import type { JobEvent } from "../../mod.ts";
import type { Sent } from "../../proto/service.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";
import { statusMessage } from "./status.ts";
import { timestamp } from "./timestamps.ts";

/** The messages of events. Watchers share an event and its message, which is then encoded once. */
const eventMessages = new WeakMap<JobEvent, Sent<wire.JobEvent>>();

/** Returns an event as a message, always the same one for the same event. */
export function eventMessage(event: JobEvent): Sent<wire.JobEvent> {
  let message = eventMessages.get(event);
  if (message === undefined) {
    message = {
      kind: `JOB_EVENT_KIND_${event.type.toUpperCase() as Uppercase<JobEvent["type"]>}`,
      token: event.token,
      ...("status" in event ? { job: statusMessage(event.status) } : {}),
      ...("at" in event ? { time: timestamp(event.at) } : {}),
      ...("reason" in event ? { reason: `REASON_${event.reason}` as const } : {}),
      ...("by" in event ? { by: event.by } : {}),
    };
    eventMessages.set(event, message);
  }
  return message;
}

/** Returns a heartbeat for a watch of many jobs. The watch can continue after the token. */
export function heartbeatEvent(token: string): Sent<wire.JobEvent> {
  return { kind: "JOB_EVENT_KIND_HEARTBEAT", token };
}
