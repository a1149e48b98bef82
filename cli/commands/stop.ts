/** `teleport stop`: stops jobs and prints how each ended. */
import type { Context } from "../context.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { statusJson } from "../print/message_json.ts";
import { askUntilAnswered, Outages } from "../follow/outage.ts";
import { inStateColour, stateText } from "../print/status_text.ts";

/** How to stop. */
export interface StopOptions {
  /** Between SIGTERM and SIGKILL, in milliseconds. Absent: each job's own. */
  readonly graceMs?: number | undefined;
  /** How long an outage of the server may last, in milliseconds. */
  readonly retryForMs?: number | undefined;
}

/**
 * Stops the jobs, all at once, through outages of the server: a second stop joins the first. So a network that cuts quiet
 * connections does not end the command before a slow job ends.
 */
export function stop(
  { calls, print }: Context,
  ids: readonly string[],
  options: StopOptions,
): Promise<number> {
  const outages = new Outages(print, options.retryForMs);
  return forEachJob(
    print,
    ids,
    (id) => askUntilAnswered(() => calls.Stop({ id, grace_ms: options.graceMs }), outages),
    (status, id) =>
      print.json
        ? print.record(statusJson(status))
        : print.line(`${id} ${inStateColour(print, status, stateText(status))}`),
  );
}
