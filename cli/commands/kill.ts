/** `teleport kill`: sends a signal to the process groups of jobs, SIGKILL by default. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import { CALL_DEADLINE_MS, type Context } from "../context.ts";
import { forEachJob } from "../follow/for_each_job.ts";
import { addFilterOptions, type FilterFlags } from "../options/filter_options.ts";
import { checkSelection, RUNNING_STATES, selectJobs } from "../options/job_selection.ts";
import { statusJson } from "../print/message_json.ts";

const NOTES = `
SIGKILL gives a job no time to clean up, as with docker kill. "teleport stop" sends SIGTERM first. Prints the id of each
job that got the signal.`;

interface KillFlags extends FilterFlags {
  readonly signal: string;
}

export const declare: Declare = (command, runner) => {
  addFilterOptions(command)
    .option("-s, --signal <SIGNAL>", "the signal, such as SIGTERM, TERM or 15", "SIGKILL")
    .addHelpText("after", NOTES)
    .action(async (ids: string[], flags: KillFlags, self: Command) => {
      checkSelection(ids, flags);
      await runner.call(self, (context) => kill(context, ids, flags));
    });
};

async function kill(context: Context, texts: readonly string[], flags: KillFlags): Promise<number> {
  const { calls, print } = context;
  return await forEachJob(
    { calls, print },
    await selectJobs(context, texts, flags, RUNNING_STATES),
    (id) => calls.Signal({ id, signal: flags.signal }, { deadlineMs: CALL_DEADLINE_MS }),
    (status) => print.isJson ? print.jsonLine(statusJson(status)) : print.line(status.id),
  );
}
