/** The call Pause: pauses all processes of a job. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

export function pauseHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["Pause"] {
  return async ({ id }, context) => {
    const { user } = await permissions.permit("Pause", id, context);
    return statusMessage(await supervisor.pause(id, { by: user }));
  };
}
