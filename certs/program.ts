/** The program of the certificate tool: the list of its commands. */
import { Command } from "commander";
import { addBundle } from "./commands/bundle.ts";
import { addClient } from "./commands/client.ts";
import { addInit } from "./commands/init.ts";
import { addList } from "./commands/list.ts";
import { addRenew } from "./commands/renew.ts";
import { addRevoke } from "./commands/revoke.ts";
import { addServer } from "./commands/server.ts";
import { addShow } from "./commands/show.ts";
import type { Tool } from "./tool.ts";

const EXAMPLES = `Examples:
  certs init                            an authority, a server certificate, and one for the user "admin"
  certs init --host jobs.example.org    the same, for a server with that name
  certs client ann --role operator      a certificate for the user "ann", for 90 days
  certs client eva --role viewer --csr eva.csr   the same for a key that eva has and keeps
  certs bundle ann ann.bundle           one file for "teleport login" on ann's machine
  certs list                            all certificates, their state and their end
  certs renew ann                       the same certificate with a new key; also "renew server"
  certs revoke ann                      servers refuse the certificate from now on
  certs renew ca                        a second authority, see "certs renew --help"
`;

/** Adds commands, in the order of the help. */
const COMMANDS = [addInit, addServer, addClient, addBundle, addRenew, addRevoke, addList, addShow];

/** Creates the program. Commands load the cryptography when they run, so help and usage errors are fast. */
export function createProgram(tool: Tool): Command {
  const program = new Command("certs")
    .description("Makes the certificates with which a teleport server and its users identify themselves.")
    .usage("COMMAND [OPTIONS]")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "certs: ")),
      writeOut: (text) => tool.writeHelp(text),
      writeErr: (text) => tool.writeNote(text),
      // Commander would read more environment variables to find out.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText("before", EXAMPLES);
  for (const add of COMMANDS) add(program, tool);
  return program;
}
