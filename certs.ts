// deno-lint-ignore-file no-console -- a door talks to people, and console copes with a pipe that is closed
/** The certificate tool's door: flags in, files made, an exit code out. */
import type { Command } from "commander";
import { CertificateError } from "./certs/errors.ts";
import { defaultDirectory } from "./certs/location.ts";
import type { Made } from "./certs/made.ts";

/** The roles that the service knows without a policy of one's own. */
const KNOWN_ROLES = ["admin", "operator", "viewer"];

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const EXAMPLES = `Examples:
  certs init                            an authority, a server's certificate, and one for the user "admin"
  certs init --host jobs.example.org    the same, for a server that others reach by that name
  certs client ann --role operator      a certificate for "ann", for 90 days
  certs server --host 192.0.2.7 --force a new server certificate in place of the old one
`;

const CLIENT_EXAMPLES = `Examples:
  certs client ann --role operator
  certs client bob --role viewer --role operator --days 30

To work from another machine, a user needs ca.crt, NAME.crt and NAME.key there, and never ca.key.
`;

interface Flags {
  readonly dir?: string;
  readonly host?: string[];
  readonly role?: string[];
  readonly days?: string;
  readonly force?: boolean;
}

/** Commands load what they need when they run: help and refusals need no cryptography. */
async function run(args: readonly string[]): Promise<void> {
  const { Command } = await import("commander");
  const program = new Command("certs")
    .description("Makes the certificates by which a teleport server and its users know each other.")
    .usage("COMMAND [OPTIONS]")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "certs: ")),
      // Asked of the terminal, these would need the right to read further variables.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText("before", EXAMPLES);

  subcommand(program, "init", "make a directory with an authority, a server's certificate and one for the user admin")
    .option(...HOST_OPTION)
    .option(
      "--days <number>",
      "days until server and admin end, 1 to 3650 (default: 365 and 90; the authority has 3650)",
    )
    .addHelpText("before", "Example:\n  certs init --host jobs.example.org\n\nIt never replaces anything.\n")
    .action(async (flags: Flags) => {
      const { initDirectory } = await import("./certs/init.ts");
      report(await initDirectory({ dir: directory(flags), hosts: flags.host, days: days(flags) }));
      console.log('Keep "ca.key" to yourself: who has it can be any user, and any server.');
    });

  subcommand(program, "server", "make a server's certificate")
    .option(...HOST_OPTION)
    .option("--days <number>", "days until it ends, 1 to 3650 (default: 365)")
    .option(...FORCE_OPTION)
    .addHelpText("before", "Example:\n  certs server --host jobs.example.org --host 192.0.2.7 --force\n")
    .action(async (flags: Flags) => {
      const { issueServer } = await import("./certs/issue.ts");
      const options = { dir: directory(flags), hosts: flags.host, days: days(flags), replace: flags.force };
      report([await issueServer(options)]);
    });

  subcommand(program, "client", "make a user's certificate")
    .usage("[OPTIONS] --role <role> NAME")
    .argument("NAME", "the user, and the name of the files")
    .requiredOption("--role <role>", "what the user may do: admin, operator or viewer; may be repeated", collect)
    .option("--days <number>", "days until it ends, 1 to 3650 (default: 90)")
    .option(...FORCE_OPTION)
    .addHelpText("before", CLIENT_EXAMPLES)
    .action(async (name: string, flags: Flags) => {
      const { issueClient } = await import("./certs/issue.ts");
      const roles = flags.role ?? [];
      const made = await issueClient({ dir: directory(flags), name, roles, days: days(flags), replace: flags.force });
      report([made]);
      for (const role of made.roles.filter((role) => !KNOWN_ROLES.includes(role))) {
        console.error(`certs: Note: role "${role}" is none of ${KNOWN_ROLES.join(", ")}, it grants nothing by itself`);
      }
    });

  await program.parseAsync(args, { from: "user" });
}

const HOST_OPTION = [
  "--host <host>",
  "a name or IP address of the server, besides localhost and this machine's name; may be repeated",
  collect,
] as const;
const FORCE_OPTION = ["--force", "replace an earlier one"] as const;

function subcommand(program: Command, name: string, description: string): Command {
  return program.command(name)
    .description(description)
    .usage("[OPTIONS]")
    .allowExcessArguments(false)
    .option("--dir <dir>", "the certificate directory (default: $TELEPORT_CERTS, or teleport in ~/.config)");
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

function directory({ dir }: Flags): string {
  if (dir === "") throw new CertificateError("INVALID_ARGUMENT", 'Invalid directory "": give a path');
  if (dir !== undefined) return dir;
  return defaultDirectory({
    TELEPORT_CERTS: Deno.env.get("TELEPORT_CERTS"),
    XDG_CONFIG_HOME: Deno.env.get("XDG_CONFIG_HOME"),
    HOME: Deno.env.get("HOME"),
  });
}

function days({ days }: Flags): number | undefined {
  if (days === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(days)) return Number(days);
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `Invalid number of days ${JSON.stringify(days)}: give a whole number from 1 to 3650`,
  );
}

function report(made: readonly Made[]): void {
  for (const { usage, name, certificatePath, keyPath, hosts, roles, notAfter } of made) {
    const what = usage === "authority"
      ? "the authority"
      : usage === "server"
      ? `the server, reached as ${hosts.join(", ")}`
      : `the user "${name}" with ${roles.length === 1 ? "the role" : "the roles"} ${roles.join(", ")}`;
    console.log(`Made a certificate for ${what}, valid until ${notAfter.toISOString().slice(0, 10)}:`);
    console.log(`  ${certificatePath}\n  ${keyPath}`);
  }
}

/** The exit code of an error, after telling the user. What is nobody's refusal is a defect, and shows its stack. */
function failed(error: unknown): number {
  if (error instanceof CertificateError) {
    console.error(`certs: ${error.message}`);
    return EXIT_FAILED;
  }
  // Commander has already written what is wrong, or the help that was asked for.
  if (error instanceof Error && "exitCode" in error) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  throw error;
}

if (import.meta.main) {
  // "deno task certs -- init" hands the two dashes on.
  const args = Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args;
  Deno.exitCode = await run(args).then(() => 0, failed);
}
