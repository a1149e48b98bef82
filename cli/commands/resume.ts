/** `teleport resume`: resumes all processes of paused jobs. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { statusJson } from "../print/message_json.ts";

export const declare: Declare = (command, runner) => {
  command.action(async (ids: string[], _flags: unknown, self: Command) => {
    await runner.call(self, (context) => resume(context, ids));
  });
};

/** Resumes the jobs. Prints each status as JSON only. */
async function resume({ calls, print }: Context, ids: readonly string[]): Promise<number> {
  return await forEachJob(
    { calls, print },
    ids,
    (id) => calls.Resume({ id }, { deadlineMs: CALL_DEADLINE_MS }),
    async (status) => void (print.isJson && await print.jsonLine(statusJson(status))),
  );
}
