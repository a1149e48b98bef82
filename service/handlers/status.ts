/** The call Status: answers the current status of a job. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

export function statusHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["Status"] {
  return async ({ id }, context) => {
    await permissions.permit("Status", id, context);
    return statusMessage(await supervisor.status(id, { usage: true }));
  };
}
