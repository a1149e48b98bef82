/** `teleport inspect`: prints the status of jobs as data: JSON, or the format of `--output`. */
import type { Command } from "commander";
import type { Declare } from "../command.ts";
import { addFilterOptions, type FilterFlags } from "../options/filter_options.ts";
import { checkSelection } from "../options/job_selection.ts";
import { statusJson } from "../print/message_json.ts";
import { eachStatus } from "./status.ts";

export const declare: Declare = (command, runner) => {
  addFilterOptions(command).action(async (ids: string[], flags: FilterFlags, self: Command) => {
    checkSelection(ids, flags);
    await runner.call(
      self,
      (context) => eachStatus(context, ids, flags, (status) => context.print.jsonLine(statusJson(status))),
    );
  });
};
