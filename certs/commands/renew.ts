/** `certs renew`: issues a certificate again, or changes the authority. */
import type { Command } from "commander";
import { CertificateError } from "../errors.ts";
import { addCommand, ALGORITHM_OPTION, daysOption, isJson, type IssueFlags, keyKindOf, parseDays } from "../options.ts";
import { DEFAULT_DAYS } from "../lifetime.ts";
import type { Tool } from "../tool.ts";

interface Flags extends IssueFlags {
  readonly finish?: boolean;
}

const EXAMPLES = `Examples:
  certs renew ann              a new key for ann; servers need no change
  certs renew server           servers load it by themselves

To change the authority without locking anybody out:
  certs renew ca               ca.crt then has both authorities: copy it to servers and users
  certs renew server           and all users, so that the new authority signs their certificates
  certs renew ca --finish      removes the old authority, whose certificates are then refused
`;

/** Adds the command to the program. */
export function addRenew(program: Command, tool: Tool): void {
  addCommand(program, "renew", "issue a certificate again, with a new key and a new end")
    .usage("[OPTIONS] NAME")
    .argument("NAME", 'a user, "server", or "ca"')
    .option(...daysOption(`${DEFAULT_DAYS.server} for server, ${DEFAULT_DAYS.client} for a user`))
    .option(...ALGORITHM_OPTION)
    .option("--finish", 'with "ca": remove the old authority')
    .addHelpText("before", EXAMPLES)
    .action(async (name: string, flags: Flags) => {
      const { finishAuthority, renew, renewAuthority } = await import("../renew.ts");
      const options = { dir: tool.directory(flags), name, days: parseDays(flags), keyKind: keyKindOf(flags) };
      if (name !== "ca") {
        if (flags.finish) {
          throw new CertificateError("INVALID_ARGUMENT", 'Unexpected --finish: use it with "renew ca"');
        }
        tool.printIssued([await renew(options)], isJson(flags));
        return;
      }
      const issued = await (flags.finish ? finishAuthority(options.dir) : renewAuthority(options));
      tool.printIssued([issued], isJson(flags));
      if (isJson(flags)) return;
      tool.print(
        flags.finish
          ? "This is the only authority now. Copy ca.crt to servers and users"
          : 'Programs with this ca.crt accept both authorities. See "certs renew --help" for the next steps',
      );
    });
}
