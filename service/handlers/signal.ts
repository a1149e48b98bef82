/** The call Signal: sends a signal to the process group of a job. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { textForEntry } from "../audit/excerpts.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

export function signalHandler({ supervisor, permissions, callAudit }: HandlerParts): JobWorkerHandlers["Signal"] {
  return async ({ id, signal }, context) => {
    const { user } = await permissions.permit("Signal", id, context);
    callAudit.add(context, { signal: textForEntry(signal) });
    return statusMessage(await supervisor.signal(id, signal, { by: user }));
  };
}
