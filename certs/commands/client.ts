/** `certs client`: issues a user certificate. */
import type { Command } from "commander";
import {
  addCommand,
  ALGORITHM_OPTION,
  collect,
  daysOption,
  FORCE_OPTION,
  isJson,
  type IssueFlags,
  keyKindOf,
  parseDays,
  readOptionFile,
} from "../options.ts";
import { DEFAULT_DAYS } from "../lifetime.ts";
import type { Tool } from "../tool.ts";

interface Flags extends IssueFlags {
  readonly role?: string[];
  readonly csr?: string;
  readonly force?: boolean;
}

/** The roles of the built-in policy. */
const BUILT_IN_ROLES = ["admin", "operator", "viewer"];

const EXAMPLES = `Examples:
  certs client ann --role operator
  certs client bob --role viewer --role operator --days 30

With a request, the private key stays with the user. Eva creates the request:
  openssl req -new -newkey ed25519 -nodes -keyout eva.key -subj /CN=eva -out eva.csr
  certs client eva --role viewer --csr eva.csr

On another machine, a user needs ca.crt, NAME.crt and NAME.key, and never ca.key.
`;

/** Adds the command to the program. */
export function addClient(program: Command, tool: Tool): void {
  addCommand(program, "client", "issue a user certificate")
    .usage("[OPTIONS] --role <role> NAME")
    .argument("NAME", "the user, and the name of the files")
    .requiredOption("--role <role>", "the user's role: admin, operator or viewer; may be repeated", collect)
    .option(...daysOption(`${DEFAULT_DAYS.client}`))
    .option("--csr <file>", "issue it for the key of this certificate signing request")
    .option(...ALGORITHM_OPTION)
    .option(...FORCE_OPTION)
    .addHelpText("before", EXAMPLES)
    .action(async (name: string, flags: Flags) => {
      const { issueClient } = await import("../issue.ts");
      const issued = await issueClient({
        dir: tool.directory(flags),
        name,
        roles: flags.role ?? [],
        days: parseDays(flags),
        replace: flags.force,
        request: await readOptionFile(flags.csr),
        keyKind: keyKindOf(flags),
      });
      tool.printIssued([issued], isJson(flags));
      for (const role of issued.roles.filter((role) => !BUILT_IN_ROLES.includes(role))) {
        tool.note(`Note: role "${role}" is not ${BUILT_IN_ROLES.join(", ")}. It allows nothing without a policy file`);
      }
    });
}
