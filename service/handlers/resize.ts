/** The call Resize: sets the size of a job's terminal. */
import { InvalidArgumentError } from "../../mod.ts";
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

export function resizeHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["Resize"] {
  return async ({ id, size }, context) => {
    await permissions.permit("Resize", id, context);
    if (size === null) throw new InvalidArgumentError("Missing size: give the columns and rows of the terminal");
    return statusMessage(await supervisor.resize(id, size));
  };
}
