/** The call StatusStream: streams the status of a job until it has ended. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

export function statusStreamHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["StatusStream"] {
  return async function* ({ id }, context) {
    await permissions.permit("StatusStream", id, context);
    for await (const status of supervisor.watchStatus(id, { signal: context.signal })) yield statusMessage(status);
  };
}
