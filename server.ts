// deno-lint-ignore-file no-console -- a door talks to people, and console copes with a pipe that is closed
/** The door of `teleportd`, the server: flags in, exit code out, and the wiring between. */
import { dirname } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { CertificateError } from "./certs/errors.ts";
import { ExpiryReminder } from "./certs/expiry.ts";
import { defaultDirectory } from "./certs/location.ts";
import { readRevokedSerials, readServerFiles } from "./certs/server_files.ts";
import { parseDurationMs } from "./cli/duration.ts";
import { parseSizeBytes } from "./cli/size.ts";
import { type OutputPolicy, Supervisor, TeleportError } from "./mod.ts";
import { AddressError, formatAddress, parseAddress } from "./rpc/address.ts";
import { checkCredentials, type Credentials, CredentialsError, endsOf } from "./rpc/credentials.ts";
import { serve } from "./rpc/server.ts";
import { callerOf } from "./service/audit.ts";
import { AuditLog } from "./service/audit_log.ts";
import { verifiedText, verifyAudit } from "./service/audit_verify.ts";
import { createService } from "./service/handlers.ts";
import { handshakeRecord } from "./service/handshake_record.ts";
import { keepCurrent, type ServerIdentity } from "./service/keep_current.ts";
import { DEFAULT_POLICY } from "./service/policy_default.ts";
import { parsePolicy as parsePolicyFile, PolicyError, type PolicyText } from "./service/policy_file.ts";
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
  readonly policy?: string;
  readonly checkConfig?: boolean;
  /** Of "audit verify", which does nothing else. */
  readonly auditPath?: string;
  /** Bytes. */
  readonly auditFileBytes?: number;
  readonly auditFiles?: number;
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
    .option("--policy <file>", "who may do what (default: the roles admin, operator and viewer)")
    .option("--check-config", "say whether certificates and policy can be used, and leave")
    .option(
      "--audit-file-bytes <size>",
      "how large a file of the audit record grows (default: 64 MiB)",
      sizeParser("--audit-file-bytes"),
    )
    .option("--audit-files <count>", "how many of them are kept (default: 16)", parseCount)
    .option(
      "--max-output <size>",
      "how much output of a job is recorded that does not say (default: all)",
      sizeParser("--max-output"),
    )
    .option(
      "--output-policy <policy>",
      "what happens then: stop the job, keep-newest, or block it",
      parsePolicy,
      "STOP" as const,
    )
    .option(
      "--max-output-total <size>",
      "how much all jobs and their output may take on the disk; when it is short, the oldest that have ended go " +
        "(default: half of what is free)",
      sizeParser("--max-output-total"),
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
  let auditPath: string | undefined;
  program.action(() => {});
  program.command("audit").description("look after the audit record").helpCommand(false)
    .command("verify").argument("<path>", "the directory audit of the data directory, or one file of it")
    .description("say whether every line of the audit record is there, unchanged and in order")
    .allowExcessArguments(false)
    .action((path: string) => void (auditPath = path));
  program.helpCommand(false).parse(args, { from: "user" });
  return { ...program.opts<Flags & Record<string, never>>(), ...(auditPath === undefined ? {} : { auditPath }) };
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

function sizeParser(name: string): (text: string) => number {
  return argument((text) => parseSizeBytes(text, name));
}

function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("Give a whole number from 1 to 999999999");
  return Number(text);
}

function durationParser(name: string, maxMs: number): (text: string) => number {
  return argument((text) => parseDurationMs(text, { name, minMs: 0, maxMs }));
}

/** A parser of the command line's as Commander wants its errors. */
function argument(parse: (text: string) => number): (text: string) => number {
  return (text) => {
    try {
      return parse(text);
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

async function readIdentity(certs: string, policyPath: string | undefined): Promise<ServerIdentity> {
  const credentials = await readCredentials(certs);
  const list = await readRevokedSerials(certs, credentials.ca);
  return { credentials, revoked: list?.serials ?? new Set(), policy: await readPolicy(policyPath) };
}

async function readCredentials(certs: string): Promise<Credentials> {
  try {
    const credentials = await readServerFiles(certs);
    checkCredentials(credentials);
    return credentials;
  } catch (error) {
    if (!(error instanceof CertificateError) || error.code !== "MISSING") throw error;
    const [path = ""] = /^"[^"]*"/.exec(error.message) ?? [];
    throw new StartError(`${path} not found: make certificates with certs init, or start with --init-certs`);
  }
}

async function readPolicy(path: string | undefined): Promise<PolicyText> {
  if (path === undefined) return { text: "", policy: DEFAULT_POLICY };
  const text = await Deno.readTextFile(path).catch((error) => {
    throw new StartError(`Policy file "${path}" cannot be read: ${error instanceof Error ? error.message : error}`);
  });
  return { text, policy: parsePolicyFile(text) };
}

/** Says what was checked. Errors were thrown before. */
function checked(
  certs: string,
  policyPath: string | undefined,
  { credentials, revoked, policy }: ServerIdentity,
): void {
  using reminder = new ExpiryReminder(tell);
  reminder.mind(namedEnds(credentials));
  tell(`certificates in "${certs}" can be used, ${revoked.size} are revoked`);
  if (policyPath === undefined) return tell("no policy file: the roles are admin, operator and viewer");
  const { roles, templates } = policy.policy;
  tell(`policy "${policyPath}" can be used: ${roles.size} roles, ${templates.size} templates`);
}

function namedEnds(credentials: Credentials) {
  return endsOf(credentials).map(({ part, notAfter }) => ({
    name: part === "ca" ? "the authority's certificate" : "the server's certificate",
    notAfter,
  }));
}

/** Says whether an audit record is whole. */
async function verify(path: string): Promise<number> {
  const found = await verifyAudit(path).catch((error) => {
    throw new StartError(`"${path}" cannot be read: ${error instanceof Error ? error.message : error}`);
  });
  console.log(verifiedText(found));
  return found.problems.length === 0 ? 0 : EXIT_FAILED;
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
  const identity = await readIdentity(certs, flags.policy);
  if (flags.checkConfig) return checked(certs, flags.policy, identity);
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
  await using audit = await AuditLog.open({
    directory: `${directory}/audit`,
    onError: (error) => tell(`the audit record cannot be written, so nothing new is done until it can: ${error}`),
    ...(flags.auditFileBytes === undefined ? {} : { maxFileBytes: flags.auditFileBytes }),
    ...(flags.auditFiles === undefined ? {} : { maxFiles: flags.auditFiles }),
  }).catch((error) => {
    throw new StartError(`The audit record in "${directory}/audit" cannot be opened: ${error.message}`);
  });
  let { policy } = identity;
  const server = await serve({
    ...address,
    credentials: identity.credentials,
    revoked: identity.revoked,
    ...createService(supervisor, { policy: () => policy.policy, audit }),
    onRefused: (context, error) => {
      const rule = error instanceof Error ? error.message : "";
      const call = context.method.slice(context.method.lastIndexOf("/") + 1);
      const denied = { call, allowed: false, rule, code: "UNAUTHENTICATED" };
      audit.record({ event: "call", ...callerOf(context), ...denied });
    },
    onHandshakeFailure: handshakeRecord(audit),
    onInternalError: (error, method) => tell(`internal error in ${method}: ${describe(error)}`),
  });
  const say = (line: string) => {
    tell(line);
    audit.record({ event: "server", text: line });
  };
  using reminder = new ExpiryReminder(tell);
  reminder.mind(namedEnds(identity.credentials));
  await using changes = keepCurrent({
    identity,
    directories: [certs, ...(flags.policy === undefined ? [] : [dirname(flags.policy)])],
    readCredentials: () => readCredentials(certs),
    readRevoked: async (ca) => (await readRevokedSerials(certs, ca))?.serials,
    readPolicy: () => readPolicy(flags.policy),
    renew: (current) => {
      server.renew(current);
      reminder.mind(namedEnds(current.credentials));
    },
    setPolicy: (current) => policy = current,
    say,
  });
  Deno.addSignalListener("SIGHUP", () => changes.nudge());
  server.setServing(!stop.aborted);
  say(`listening on ${formatAddress(server)}`);
  stop.addEventListener("abort", () => {
    server.setServing(false);
    say("stopping: no new work is taken, jobs are being ended");
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
    error instanceof CredentialsError || error instanceof PolicyError || error instanceof TeleportError;
  tell(`teleportd: ${expected ? error.message : describe(error)}`);
  return error instanceof AddressError && error.code === "INVALID" ? EXIT_USAGE : EXIT_FAILED;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const flags = parse(args);
    if (flags.auditPath !== undefined) return await verify(flags.auditPath);
    await run(flags);
    return 0;
  } catch (error) {
    return failed(error);
  }
}

// "deno task serve -- --listen …" hands the two dashes on.
if (import.meta.main) Deno.exit(await main(Deno.args[0] === "--" ? Deno.args.slice(1) : Deno.args));
