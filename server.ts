/** The door of `teleportd`, the server: arguments and environment in, exit code out. */
import { CommanderError } from "commander";
import { CertificateError } from "./certs/errors.ts";
import { TeleportError } from "./mod.ts";
import { AddressError } from "./rpc/shared/address.ts";
import { TlsCredentialsError } from "./rpc/shared/tls_credentials.ts";
import { verifiedText, verifyAudit } from "./service/audit/verify.ts";
import { PolicyError } from "./service/policy/file.ts";
import { parseEnvironment } from "./teleportd/environment.ts";
import { parseFlags } from "./teleportd/flags.ts";
import { run } from "./teleportd/run.ts";
import { ServerLog } from "./teleportd/log.ts";
import { StartError } from "./teleportd/start_error.ts";
import { describe, ENVIRONMENT_NAMES, type ServerEnvironment } from "./teleportd/server_environment.ts";
import { checkArguments, checkVariable, NotUtf8Error, readVariable } from "./text/decoded.ts";
import { escapeText } from "./text/unprintable.ts";
import { TextNotWrittenError, writeText } from "./text/write_text.ts";
import metadata from "./deno.json" with { type: "json" };

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** EX_SOFTWARE of sysexits(3): a defect in the server itself. */
const EXIT_DEFECT = 70;
/** 128 + SIGPIPE, as a program that the signal ends. */
const EXIT_BROKEN_PIPE = 141;

const log = new ServerLog(Deno.stderr);

const world: ServerEnvironment = {
  version: metadata.version,
  env: Object.fromEntries(ENVIRONMENT_NAMES.map((name) => [name, readVariable(Deno.env.get, name)])),
  environment: () => parseEnvironment(Deno.readFileSync("/proc/self/environ")),
  terminals: () => [Deno.stdin, Deno.stdout, Deno.stderr].filter((stream) => stream.isTerminal()).length,
  tell: (line) => log.line(line), // stderr is this program's log; stdout stays empty.
  exit: (failed) => Deno.exit(failed ? EXIT_DEFECT : 0),
};

/** Says whether an audit record is whole. */
async function verify(path: string): Promise<number> {
  const found = await verifyAudit(path).catch((error) => {
    throw new StartError(`"${path}" cannot be read: ${error instanceof Error ? error.message : error}`);
  });
  writeText(Deno.stdout, `${escapeText(verifiedText(found))}\n`);
  return found.problems.length === 0 ? 0 : EXIT_FAILED;
}

/** The exit code of an error, after telling the user. */
function failed(error: unknown): number {
  if (error instanceof TextNotWrittenError && error.readerLeft) return EXIT_BROKEN_PIPE;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const expected = error instanceof StartError || error instanceof CertificateError || error instanceof AddressError ||
    error instanceof TlsCredentialsError || error instanceof PolicyError || error instanceof TeleportError ||
    error instanceof TextNotWrittenError || error instanceof NotUtf8Error;
  world.tell(`teleportd: ${expected ? error.message : describe(error)}`);
  if (!expected) return EXIT_DEFECT;
  if (error instanceof NotUtf8Error) return EXIT_USAGE;
  return error instanceof AddressError && error.code === "INVALID" ? EXIT_USAGE : EXIT_FAILED;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    checkArguments(args);
    for (const name of ENVIRONMENT_NAMES) checkVariable(name, world.env[name]);
    const flags = parseFlags(args, metadata.version, {
      stdout: (text) => writeText(Deno.stdout, text),
      stderr: (text) => log.line(text.trimEnd()),
    });
    if (flags.auditPath !== undefined) return await verify(flags.auditPath);
    return await run(flags, world) === "failed" ? EXIT_DEFECT : 0;
  } catch (error) {
    return failed(error);
  }
}

// "deno task serve -- --listen …" hands the two dashes on.
if (import.meta.main) {
  const code = await main(Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args);
  await log.close();
  Deno.exit(code);
}
