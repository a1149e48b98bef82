/** The call Start: starts a job and streams its status until it has ended. */
import type { JobWorkerHandlers } from "../../proto/service.ts";
import { statusMessage } from "../convert/status.ts";
import type { HandlerParts } from "./parts.ts";

export function startHandler({ supervisor, permissions }: HandlerParts): JobWorkerHandlers["Start"] {
  return async function* ({ id }, context) {
    const { user } = await permissions.permit("Start", id, context);
    const statuses = supervisor.watchStatus(id, { signal: context.signal, skipInitial: true });
    await supervisor.start(id, { by: user });
    for await (const status of statuses) yield statusMessage(status);
  };
}
