/** The call Stop: stops a job and answers its final status. */
import { defined } from "../../base/defined.ts";
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

export function stopHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["Stop"] {
  return async ({ id, grace_ms }, context) => {
    const { user } = await permissions.permit("Stop", id, context);
    return statusMessage(await supervisor.stop(id, { by: user, ...defined({ graceMs: grace_ms }) }));
  };
}
