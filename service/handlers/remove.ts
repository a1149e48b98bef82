/** The call Remove: removes a job that does not run, and its output. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import type { HandlerParts } from "./parts.ts";

export function removeHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["Remove"] {
  return async ({ id }, context) => {
    await permissions.permit("Remove", id, context);
    await supervisor.remove(id);
    return {};
  };
}
