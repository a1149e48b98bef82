/** The certificate tool's door: flags in, files made, an exit code out. */
import type { Command } from "commander";
import { CertificateError } from "./certs/errors.ts";
import { CLIENT_EXAMPLES, EXAMPLES, RENEW_EXAMPLES } from "./certs/examples.ts";
import { type KeyKind, parseKeyKind } from "./certs/key_kind.ts";
import { defaultCertificateDirectory } from "./trust/default_directory.ts";
import type { IssuedCertificate } from "./certs/issued_certificate.ts";
import { issuedJson, issuedText, listedJson, listText, showText } from "./certs/report.ts";
import { checkArguments, checkVariable, NotUtf8Error, readVariable } from "./text/decoded.ts";
import { escapeText, jsonLine, oneLine } from "./text/unprintable.ts";
import { TextNotWrittenError, writeText } from "./text/write_text.ts";

/** The roles that the service knows without a policy of one's own. */
const KNOWN_ROLES = ["admin", "operator", "viewer"];

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** 128 + SIGPIPE, as a program that the signal ends. */
const EXIT_BROKEN_PIPE = 141;

interface Flags {
  readonly dir?: string;
  readonly host?: string[];
  readonly role?: string[];
  readonly days?: string;
  readonly force?: boolean;
  readonly algorithm?: string;
  readonly output?: string;
  readonly csr?: string;
  readonly cert?: string;
  readonly serial?: string;
  readonly issuer?: string;
  readonly finish?: boolean;
}

/** Commands load what they need when they run: help and refusals need no cryptography. */
async function run(args: readonly string[]): Promise<void> {
  checkArguments(args);
  const { Command } = await import("commander");
  const program = new Command("certs")
    .description("Makes the certificates by which a teleport server and its users know each other.")
    .usage("COMMAND [OPTIONS]")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "certs: ")),
      writeOut: (text) => writeText(Deno.stdout, text),
      writeErr: writeNote,
      // Asked of the terminal, these would need the right to read further variables.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText("before", EXAMPLES);

  subcommand(program, "init", "make a directory with an authority, a server's certificate and one for the user admin")
    .option(...HOST_OPTION)
    .option(...ALGORITHM_OPTION)
    .option(
      "--days <number>",
      "days until server and admin end, 1 to 3650 (default: 365 and 90; the authority has 3650)",
    )
    .addHelpText("before", "Example:\n  certs init --host jobs.example.org\n\nIt never replaces anything.\n")
    .action(async (flags: Flags) => {
      const { initDirectory } = await import("./certs/init.ts");
      const options = { dir: directory(flags), hosts: flags.host, days: days(flags), keyKind: keyKind(flags) };
      report(await initDirectory(options), flags);
      if (!isJson(flags)) print('Keep "ca.key" to yourself: who has it can be any user, and any server.');
    });

  subcommand(program, "server", "make a server's certificate")
    .option(...HOST_OPTION)
    .option("--days <number>", "days until it ends, 1 to 3650 (default: 365)")
    .option(...ALGORITHM_OPTION)
    .option(...FORCE_OPTION)
    .addHelpText("before", "Example:\n  certs server --host jobs.example.org --host 192.0.2.7 --force\n")
    .action(async (flags: Flags) => {
      const { issueServer } = await import("./certs/issue.ts");
      const { force: replace, host: hosts } = flags;
      const options = { dir: directory(flags), hosts, days: days(flags), replace, keyKind: keyKind(flags) };
      report([await issueServer(options)], flags);
    });

  subcommand(program, "client", "make a user's certificate")
    .usage("[OPTIONS] --role <role> NAME")
    .argument("NAME", "the user, and the name of the files")
    .requiredOption("--role <role>", "what the user may do: admin, operator or viewer; may be repeated", collect)
    .option("--days <number>", "days until it ends, 1 to 3650 (default: 90)")
    .option("--csr <file>", "make it for the key of this request, which then need not travel")
    .option(...ALGORITHM_OPTION)
    .option(...FORCE_OPTION)
    .addHelpText("before", CLIENT_EXAMPLES)
    .action(async (name: string, flags: Flags) => {
      const { issueClient } = await import("./certs/issue.ts");
      const roles = flags.role ?? [];
      const request = flags.csr === undefined
        ? undefined
        : await Deno.readTextFile(flags.csr).catch(unreadable(flags.csr));
      const options = { dir: directory(flags), name, roles, days: days(flags), replace: flags.force, request };
      const made = await issueClient({ ...options, keyKind: keyKind(flags) });
      report([made], flags);
      for (const role of made.roles.filter((role) => !KNOWN_ROLES.includes(role))) {
        note(`Note: role "${role}" is none of ${KNOWN_ROLES.join(", ")}, it grants nothing by itself`);
      }
    });

  subcommand(program, "renew", "make a certificate anew: the same words, a new key, a new end")
    .usage("[OPTIONS] NAME")
    .argument("NAME", 'a user, "server", or "ca"')
    .option("--days <number>", "days until it ends, 1 to 3650 (default: 365 for server, 90 for a user)")
    .option(...ALGORITHM_OPTION)
    .option("--finish", 'with "ca": drop the old authority')
    .addHelpText("before", RENEW_EXAMPLES)
    .action(async (name: string, flags: Flags) => {
      const { finishAuthority, renew, renewAuthority } = await import("./certs/renew.ts");
      const options = { dir: directory(flags), name, days: days(flags), keyKind: keyKind(flags) };
      if (name !== "ca") {
        if (flags.finish) {
          throw new CertificateError("INVALID_ARGUMENT", 'Unexpected --finish: it goes with "renew ca"');
        }
        return report([await renew(options)], flags);
      }
      report([await (flags.finish ? finishAuthority(options.dir) : renewAuthority(options))], flags);
      if (!isJson(flags)) {
        print(
          flags.finish
            ? "It is the only authority now: hand ca.crt to servers and users"
            : 'Both authorities are accepted where this ca.crt is: see "certs renew --help" for what comes next',
        );
      }
    });

  subcommand(program, "revoke", "have servers refuse a certificate from now on")
    .usage("[OPTIONS] NAME")
    .argument("[NAME]", "a user whose certificate is in the directory")
    .option("--serial <hex>", "the certificate with this serial number, as list, show and the audit record have it")
    .option("--issuer <name>", "with --serial: the authority that issued it, where ca.crt holds several")
    .option("--cert <file>", "the certificate in this file")
    .addHelpText(
      "before",
      "Examples:\n  certs revoke ann\n  certs revoke --serial 5F0C…\n\nServers read ca.crl beside ca.crt.\n",
    )
    .action(async (name: string | undefined, flags: Flags) => {
      if ([name, flags.serial, flags.cert].filter((given) => given !== undefined).length > 1) {
        throw new CertificateError("INVALID_ARGUMENT", "Too much to revoke at once: give a NAME, --serial or --cert");
      }
      if (flags.issuer !== undefined && flags.serial === undefined) {
        throw new CertificateError("INVALID_ARGUMENT", "Unexpected --issuer: it goes with --serial");
      }
      const { revoke } = await import("./certs/revoke.ts");
      const certificate = flags.cert === undefined
        ? undefined
        : await Deno.readTextFile(flags.cert).catch(unreadable(flags.cert));
      const { serial, issuer: authority } = flags;
      const subject = { name, serialNumber: serial, issuer: authority, certificate };
      const { issuer, serialNumber, already, count, path } = await revoke({ dir: directory(flags), ...subject });
      if (isJson(flags)) return print(jsonLine({ issuer, serial: serialNumber, already, count, path }));
      const what = `the certificate with serial number ${serialNumber} of "${issuer}"`;
      print(`${already ? "Was revoked before" : "Revoked"}: ${what}`);
      print(
        `  ${path}, ${count} in all\nHand ca.crl to every server: each takes it up at once, and cuts its streams.`,
      );
    });

  subcommand(program, "list", "show what is in the directory, how it stands, and until when")
    .action(async (flags: Flags) => {
      const { listCertificates } = await import("./certs/list.ts");
      const listed = await listCertificates(directory(flags));
      if (isJson(flags)) { for (const one of listed) print(jsonLine(listedJson(one))); }
      else print(listText(listed));
    });

  subcommand(program, "show", "show what a certificate says")
    .usage("[OPTIONS] NAME|FILE")
    .argument("NAME", 'a user, "server", "ca", or the path of a file')
    .action(async (name: string, flags: Flags) => {
      const { showCertificate } = await import("./certs/list.ts");
      for (const one of await showCertificate(directory(flags), name)) {
        print(isJson(flags) ? jsonLine(listedJson(one)) : showText(one));
      }
    });

  await program.parseAsync(args, { from: "user" });
}

const HOST_OPTION = [
  "--host <host>",
  "a name or IP address of the server, besides localhost and this machine's name; may be repeated",
  collect,
] as const;
const ALGORITHM_OPTION = ["--algorithm <kind>", "kind of key: p256 or ed25519 (default: p256)"] as const;
const FORCE_OPTION = ["--force", "replace an earlier one"] as const;

function subcommand(program: Command, name: string, description: string): Command {
  return program.command(name)
    .description(description)
    .usage("[OPTIONS]")
    .allowExcessArguments(false)
    .hook("preAction", (_, command) => void isJson(command.opts<Flags>()))
    .option("--dir <dir>", "the certificate directory (default: $TELEPORT_CERTS, or teleport in ~/.config)")
    .option("--output <format>", "text, or json: one object a line");
}

function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

function directory({ dir }: Flags): string {
  if (dir === "") throw new CertificateError("INVALID_ARGUMENT", 'Invalid directory "": give a path');
  if (dir !== undefined) return dir;
  const variable = (name: string) => checkVariable(name, readVariable(Deno.env.get, name));
  const found = defaultCertificateDirectory(variable);
  if (found !== undefined) return found;
  throw new CertificateError(
    "INVALID_ARGUMENT",
    "Cannot find the certificate directory: give --dir, or set TELEPORT_CERTS or HOME",
  );
}

function days({ days }: Flags): number | undefined {
  if (days === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(days)) return Number(days);
  throw new CertificateError(
    "INVALID_ARGUMENT",
    `Invalid number of days ${JSON.stringify(days)}: give a whole number from 1 to 3650`,
  );
}

function keyKind({ algorithm }: Flags): KeyKind | undefined {
  return algorithm === undefined ? undefined : parseKeyKind(algorithm);
}

function isJson({ output = "text" }: Flags): boolean {
  if (output === "text" || output === "json") return output === "json";
  throw new CertificateError("INVALID_ARGUMENT", `Unknown format ${JSON.stringify(output)}: give "text" or "json"`);
}

function unreadable(path: string): (cause: unknown) => never {
  return (cause) => {
    const why = cause instanceof Deno.errors.NotFound ? "is missing" : `cannot be read: ${oneLine(cause)}`;
    throw new CertificateError("NOT_ACCESSIBLE", `"${path}" ${why}: give the path of a file in PEM`, { cause });
  };
}

function report(made: readonly IssuedCertificate[], flags: Flags): void {
  for (const one of made) print(isJson(flags) ? jsonLine(issuedJson(one)) : issuedText(one));
}

/** Writes a line of the result. A result that is not whole is a failure. */
function print(text: string): void {
  writeText(Deno.stdout, `${escapeText(text)}\n`);
}

/** Writes a sentence to stderr. */
function note(sentence: string): void {
  writeNote(`certs: ${sentence}\n`);
}

/** What was done is done, whether stderr takes a sentence about it or not. */
function writeNote(text: string): void {
  try {
    writeText(Deno.stderr, escapeText(text));
  } catch (error) {
    if (!(error instanceof TextNotWrittenError)) throw error;
  }
}

/** The exit code of an error, after telling the user. What is nobody's refusal is a defect, and shows its stack. */
function failed(error: unknown): number {
  if (error instanceof TextNotWrittenError && error.readerLeft) return EXIT_BROKEN_PIPE;
  if (error instanceof NotUtf8Error) {
    note(error.message);
    return EXIT_USAGE;
  }
  if (error instanceof CertificateError || error instanceof TextNotWrittenError) {
    note(error.message);
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
