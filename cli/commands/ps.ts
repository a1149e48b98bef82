/** `teleport ps`: prints the jobs that run, or with `--all` every job. */
import type { Command } from "commander";
import type { State } from "../../proto/teleport/v1/job_worker.ts";
import type { Declare } from "../command.ts";
import { addListOptions, list, type ListFlags } from "./list.ts";

/** The states of a job that runs. */
const RUNNING: readonly State[] = ["STATE_STARTING", "STATE_RUNNING", "STATE_STOPPING"];

export const declare: Declare = (command, runner) => {
  addListOptions(command)
    .option("-a, --all", "every job, also one that has ended or was never started")
    .action(async (flags: ListFlags & { readonly all?: true }, self: Command) => {
      const chosen = flags.all || flags.state !== undefined ? flags : { ...flags, state: RUNNING };
      await runner.call(self, (context) => list(context, chosen));
    });
};
