/** `teleport pause`: lets all processes of jobs stand still. */
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { statusJson } from "../print/message_json.ts";

/** Pauses the jobs. Prints nothing but, as JSON, each status. */
export async function pause({ calls, print }: Context, ids: readonly string[]): Promise<number> {
  return await forEachJob(
    print,
    ids,
    (id) => calls.Pause({ id }, { deadlineMs: CALL_DEADLINE_MS }),
    async (status) => void (print.json && await print.record(statusJson(status))),
  );
}
