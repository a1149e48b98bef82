// deno-lint-ignore-file no-console -- a door talks to people, and console copes with a pipe that is closed
/** The door of `teleportd`, the server: flags in, exit code out, and the wiring between. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { CertificateError } from "./certs/errors.ts";
import { defaultDirectory } from "./certs/location.ts";
import { parseDurationMs } from "./cli/duration.ts";
import { type OutputPolicy, Supervisor, TeleportError } from "./mod.ts";
import { AddressError, formatAddress, parseAddress } from "./rpc/address.ts";
import { CredentialsError } from "./rpc/credentials.ts";
import { serve } from "./rpc/server.ts";
import { createService } from "./service/handlers.ts";
import metadata from "./deno.json" with { type: "json" };

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Streams get this long to hand over what is left once every job has ended: a slow reader must not hold us up. */
const DRAIN_MS = 5_000;

/** After a second signal nothing waits longer than this. */
const HURRY_MS = 500;

/** Ended jobs are kept for 30 days unless told otherwise: long enough to look into what went wrong last month. */
const DEFAULT_KEEP_MS = 2_592_000_000;

/** A hundred years: whoever wants more never wants to forget. */
const MAX_KEEP_MS = 3_155_760_000_000;

/** So much of the disk may be jobs and output: the host must live on, whatever they write. */
const DEFAULT_DISK_SHARE = 0.5;

/** As the library bounds grace periods. */
const MAX_GRACE_MS = 3_600_000;

interface Flags {
  readonly listen: string;
  readonly certs?: string;
  readonly data?: string;
  readonly initCerts?: boolean;
  /** Bytes. */
  readonly maxOutput?: number;
  readonly outputPolicy: OutputPolicy;
  /** Bytes. */
  readonly maxOutputTotal?: number;
  /** Milliseconds. */
  readonly keep?: number;
  readonly keepJobs?: number;
  /** Milliseconds. */
  readonly shutdownGrace?: number;
}

/** A refusal to serve that the user can mend. */
class StartError extends Error {}

function tell(line: string): void {
  console.error(line); // stderr is this program's log; stdout stays empty.
}

function parse(args: readonly string[]): Flags {
  const program = new Command("teleportd")
    .usage("[OPTIONS]")
    .description("Runs processes for remote users over gRPC with mutual TLS.")
    .version(metadata.version)
    .option("--listen <host:port>", "where to listen; port 0 picks a free one", "127.0.0.1:50051")
    .option("--certs <dir>", "certificates (default: $TELEPORT_CERTS, or teleport in ~/.config)")
    .option(
      "--data <dir>",
      "where jobs and output are kept (default: teleport in $XDG_STATE_HOME, or in ~/.local/state)",
    )
    .option("--init-certs", "make the certificates that are missing")
    .option("--max-output <bytes>", "how much output of a job is recorded that does not say (default: all)", parseBytes)
    .option(
      "--output-policy <policy>",
      "what happens then: stop the job, keep-newest, or block it",
      parsePolicy,
      "STOP" as const,
    )
    .option(
      "--max-output-total <bytes>",
      "how much all jobs and their output may take on the disk; when it is short, the oldest that have ended go " +
        "(default: half of what is free)",
      parseBytes,
    )
    .option("--keep <duration>", "how long ended jobs are kept (default: 30d)", durationParser("--keep", MAX_KEEP_MS))
    .option("--keep-jobs <count>", "how many jobs are kept; the oldest that have ended go (default: 10000)", parseCount)
    .option(
      "--shutdown-grace <duration>",
      "between SIGTERM and SIGKILL when the server stops (default: each job's own)",
      durationParser("--shutdown-grace", MAX_GRACE_MS),
    )
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "teleportd: ")) });
  program.parse(args, { from: "user" });
  return program.opts<Flags & Record<string, never>>();
}

const POLICIES: Readonly<Record<string, OutputPolicy>> = {
  "stop": "STOP",
  "keep-newest": "KEEP_NEWEST",
  "block": "BLOCK",
};

function parsePolicy(text: string): OutputPolicy {
  const policy = Object.hasOwn(POLICIES, text) ? POLICIES[text] : undefined;
  if (policy === undefined) throw new InvalidArgumentError('Give "stop", "keep-newest" or "block"');
  return policy;
}

function parseBytes(text: string): number {
  if (!/^[1-9][0-9]{0,15}$/.test(text)) throw new InvalidArgumentError("Give a whole number of bytes from 1");
  return Number(text);
}

function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("Give a whole number from 1 to 999999999");
  return Number(text);
}

function durationParser(name: string, maxMs: number): (text: string) => number {
  return (text) => {
    try {
      return parseDurationMs(text, { name, minMs: 0, maxMs });
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

function dataDirectory(flag: string | undefined): string {
  if (flag !== undefined && flag !== "") return flag;
  const state = Deno.env.get("XDG_STATE_HOME");
  if (state?.startsWith("/")) return `${state}/teleport`;
  const home = Deno.env.get("HOME");
  if (home) return `${home}/.local/state/teleport`;
  throw new StartError("No directory for data: give --data DIR, or set HOME");
}

async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new StartError(`"${path}" not found: make certificates with certs init, or start with --init-certs`);
    }
    throw new StartError(`"${path}" cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

async function makeMissingCertificates(dir: string): Promise<void> {
  // Only here: making certificates loads far more than using them.
  const { ensureServing } = await import("./certs/serving.ts");
  for (const { certificatePath, notAfter } of await ensureServing({ dir })) {
    tell(`made ${certificatePath}, valid until ${notAfter.toISOString().slice(0, 10)}`);
  }
}

/** What jobs inherit: where programs are and who the server's user is, nothing else of its environment. */
function jobEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "LANG"]) {
    const value = Deno.env.get(name);
    if (value) env[name] = value;
  }
  return env;
}

/** Serves until told to stop by SIGTERM or SIGINT; a second one hurries. */
async function run(flags: Flags): Promise<void> {
  const certs = flags.certs || defaultDirectory({
    TELEPORT_CERTS: Deno.env.get("TELEPORT_CERTS"),
    XDG_CONFIG_HOME: Deno.env.get("XDG_CONFIG_HOME"),
    HOME: Deno.env.get("HOME"),
  });
  const address = parseAddress(flags.listen);
  if (flags.initCerts) await makeMissingCertificates(certs);
  const credentials = {
    ca: await read(`${certs}/ca.crt`),
    cert: await read(`${certs}/server.crt`),
    key: await read(`${certs}/server.key`),
  };
  const directory = dataDirectory(flags.data);
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 }).catch((error) => {
    throw new StartError(`Data directory "${directory}" cannot be made: ${error.message}`);
  });
  const supervisor = new Supervisor({
    directory,
    env: jobEnvironment(),
    onError: (error) => tell(`internal error: ${describe(error)}`),
    ...(flags.maxOutput === undefined
      ? {}
      : { outputLimit: { maxBytes: flags.maxOutput, policy: flags.outputPolicy } }),
    ...(flags.maxOutputTotal === undefined
      ? { maxDiskShare: DEFAULT_DISK_SHARE }
      : { maxOutputBytes: flags.maxOutputTotal }),
    maxAgeMs: flags.keep ?? DEFAULT_KEEP_MS,
    ...(flags.keepJobs === undefined ? {} : { maxJobs: flags.keepJobs }),
    ...(flags.shutdownGrace === undefined ? {} : { closeGraceMs: flags.shutdownGrace }),
  });
  // The last net: a defect in one call or job must not end all the others.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    tell(`internal error: ${describe(event.reason)}`);
  });
  const stop = stopSignal(supervisor);
  await supervisor.ready();
  const server = await serve({
    ...address,
    credentials,
    ...createService(supervisor),
    onInternalError: (error, method) => tell(`internal error in ${method}: ${describe(error)}`),
  });
  server.setServing(!stop.aborted);
  tell(`listening on ${formatAddress(server)}`);
  stop.addEventListener("abort", () => {
    server.setServing(false);
    tell("stopping: no new work is taken, jobs are being ended");
  });
  // The order of the end: no new work is taken, jobs end, streams hand over what is left, the record is closed.
  await supervisor.run({ signal: stop });
  await server.shutdown({ graceMs: DRAIN_MS });
  await supervisor.close();
}

/** Aborts at the first SIGTERM or SIGINT. The second kills what is left, and does not wait for anything else. */
function stopSignal(supervisor: Supervisor): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) {
      void supervisor.close({ graceMs: 0 });
      setTimeout(() => Deno.exit(0), HURRY_MS);
    }
    stop.abort();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, onSignal);
  return stop.signal;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/** The exit code of an error, after telling the user. */
function failed(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const expected = error instanceof StartError || error instanceof CertificateError || error instanceof AddressError ||
    error instanceof CredentialsError || error instanceof TeleportError;
  tell(`teleportd: ${expected ? error.message : describe(error)}`);
  return error instanceof AddressError && error.code === "INVALID" ? EXIT_USAGE : EXIT_FAILED;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    await run(parse(args));
    return 0;
  } catch (error) {
    return failed(error);
  }
}

// "deno task serve -- --listen …" hands the two dashes on.
if (import.meta.main) Deno.exit(await main(Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args));
