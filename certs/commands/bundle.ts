/** `certs bundle`: writes one file that sets up a user's second machine. */
import type { Command } from "commander";
import { jsonLine } from "../../text/unprintable.ts";
import { addCommand, type CommonFlags, isJson } from "../options.ts";
import type { Tool } from "../tool.ts";

interface Flags extends CommonFlags {
  readonly address?: string;
  readonly force?: boolean;
}

const EXAMPLES = `Examples:
  certs bundle ann ann.bundle --address jobs.example.org:50051
  certs bundle ann -                    to the standard output
  teleport login ann.bundle             on the other machine

A bundle has the user's private key. Send it as you would send a password.
`;

/** Adds the command to the program. */
export function addBundle(program: Command, tool: Tool): void {
  addCommand(program, "bundle", "write one file that sets up a user's second machine")
    .usage("[OPTIONS] NAME FILE|-")
    .argument("NAME", "the user")
    .argument("FILE", "the file to write, with mode 0600, or - for the standard output")
    .option("--address <host:port>", "the server (default: a host of its certificate, port 50051)")
    .option("--force", "replace the existing file")
    .addHelpText("before", EXAMPLES)
    .action(async (name: string, path: string, flags: Flags) => {
      const { makeBundle, writeBundle } = await import("../bundle.ts");
      const bundle = await makeBundle({ dir: tool.directory(flags), name, address: flags.address });
      if (bundle.warning !== undefined) tool.note(bundle.warning);
      if (path === "-") {
        tool.print(bundle.text.trimEnd());
        return;
      }
      await writeBundle(path, bundle.text, { replace: flags.force ?? false });
      if (isJson(flags)) tool.print(jsonLine({ name, address: bundle.address, file: path }));
      else tool.print(`Made a bundle for the user "${name}" of ${bundle.address}:\n  ${path}`);
    });
}
