/** `teleport ps`: prints the jobs that run, or with `--all` every job. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import { RUNNING_STATES } from "../options/job_selection.ts";
import { addListOptions, list, type ListFlags } from "./list.ts";

export const declare: Declare = (command, runner) => {
  addListOptions(command)
    .option("-a, --all", "every job, also one that has ended or was never started")
    .action(async (flags: ListFlags & { readonly all?: true }, self: Command) => {
      const chosen = flags.all || flags.state !== undefined ? flags : { ...flags, state: RUNNING_STATES };
      await runner.call(self, (context) => list(context, chosen));
    });
};
