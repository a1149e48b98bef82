/** `teleport resume`: lets all processes of paused jobs go on. */
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { statusJson } from "../print/message_json.ts";

/** Resumes the jobs. Prints nothing but, as JSON, each status. */
export async function resume({ calls, print }: Context, ids: readonly string[]): Promise<number> {
  return await forEachJob(
    print,
    ids,
    (id) => calls.Resume({ id }, { deadlineMs: CALL_DEADLINE_MS }),
    async (status) => void (print.json && await print.record(statusJson(status))),
  );
}
