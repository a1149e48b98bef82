/** `certs init`: creates a certificate directory. */
import type { Command } from "commander";
import {
  addCommand,
  ALGORITHM_OPTION,
  daysOption,
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
}

const EXAMPLE = `Example:
  certs init --host jobs.example.org

It never replaces a file.
`;

/** Adds the command to the program. */
export function addInit(program: Command, tool: Tool): void {
  addCommand(program, "init", "create a directory with an authority, a server certificate and one for the user admin")
    .option(...HOST_OPTION)
    .option(...ALGORITHM_OPTION)
    .option(
      ...daysOption(
        `${DEFAULT_DAYS.server} and ${DEFAULT_DAYS.client}; the authority has ${DEFAULT_DAYS.authority}`,
        " of server and admin",
      ),
    )
    .addHelpText("before", EXAMPLE)
    .action(async (flags: Flags) => {
      const { initDirectory } = await import("../init.ts");
      const issued = await initDirectory({
        dir: tool.directory(flags),
        hosts: flags.host,
        days: parseDays(flags),
        keyKind: keyKindOf(flags),
      });
      tool.printIssued(issued, isJson(flags));
      if (!isJson(flags)) tool.print('Keep "ca.key" secret: its owner can act as any user and any server.');
    });
}
