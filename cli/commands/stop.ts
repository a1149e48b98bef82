/** `teleport stop`: stops jobs and prints how each ended. */
import type { Context } from "../context.ts";
import { eachId } from "../each_id.ts";
import { statusJson } from "../message_json.ts";
import { inStateColour, stateText } from "../status_text.ts";

/**
 * Stops the jobs, all at once.
 *
 * @param options.graceMs between SIGTERM and SIGKILL, in milliseconds; absent: each job's own
 */
export function stop(
  { calls, print }: Context,
  ids: readonly string[],
  options: { graceMs?: number | undefined },
): Promise<number> {
  return eachId(
    print,
    ids,
    (id) => calls.Stop({ id, grace_ms: options.graceMs }),
    (status, id) =>
      print.json
        ? print.record(statusJson(status))
        : print.line(`${id} ${inStateColour(print, status, stateText(status))}`),
  );
}
