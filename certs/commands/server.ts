/** `certs server`: issues a server certificate. */
import type { Command } from "commander";
import {
  addCommand,
  ALGORITHM_OPTION,
  daysOption,
  FORCE_OPTION,
  HOST_OPTION,
  isJson,
  type IssueFlags,
  keyKindOf,
  parseDays,
} from "../options.ts";
import { DEFAULT_DAYS } from "../lifetime.ts";
import type { Tool } from "../tool.ts";

interface Flags extends IssueFlags {
  readonly host?: string[];
  readonly force?: boolean;
}

const EXAMPLE = "Example:\n  certs server --host jobs.example.org --host 192.0.2.7 --force\n";

/** Adds the command to the program. */
export function addServer(program: Command, tool: Tool): void {
  addCommand(program, "server", "issue a server certificate")
    .option(...HOST_OPTION)
    .option(...daysOption(`${DEFAULT_DAYS.server}`))
    .option(...ALGORITHM_OPTION)
    .option(...FORCE_OPTION)
    .addHelpText("before", EXAMPLE)
    .action(async (flags: Flags) => {
      const { issueServer } = await import("../issue.ts");
      const issued = await issueServer({
        dir: tool.directory(flags),
        hosts: flags.host,
        days: parseDays(flags),
        replace: flags.force,
        keyKind: keyKindOf(flags),
      });
      tool.printIssued([issued], isJson(flags));
    });
}
