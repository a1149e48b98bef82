/** The call Resume: resumes the processes of a paused job. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

export function resumeHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["Resume"] {
  return async ({ id }, context) => {
    await permissions.permit("Resume", id, context);
    return statusMessage(await supervisor.resume(id));
  };
}
