/** The call Resize: sets the size of a job's terminal. */
import { NoTerminalError } from "../../mod.ts";
import type { JobWorkerHandlers } from "../../proto/service.ts";
import type { HandlerParts } from "./parts.ts";

export function resizeHandler({ permissions }: HandlerParts): JobWorkerHandlers["Resize"] {
  return async ({ id }, context) => {
    await permissions.permit("Resize", id, context);
    // No job has a terminal yet: Register refuses it.
    throw new NoTerminalError(id);
  };
}
