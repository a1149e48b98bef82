/** The command line of `teleportd`: what it may be told, and how each value is read. */
import { Command, InvalidArgumentError } from "commander";
import { parseDurationMs } from "../units/duration.ts";
import { parseSizeBytes } from "../units/size.ts";
import type { OutputPolicy } from "../mod.ts";
import { defined } from "../base/defined.ts";

/** A hundred years: whoever wants more never wants to forget. */
const MAX_KEEP_MS = 3_155_760_000_000;

/** As the library bounds grace periods. */
const MAX_GRACE_MS = 3_600_000;

/** What `teleportd` was told. */
export interface Flags {
  readonly listen: string;
  /** HOST:PORT of loopback. */
  readonly metrics?: string;
  readonly certs?: string;
  readonly data?: string;
  readonly initCerts?: boolean;
  readonly policy?: string;
  readonly checkConfig?: boolean;
  readonly limits?: string;
  readonly allowNewPrivileges?: boolean;
  /** Names, or `*` for all. */
  readonly inheritEnv?: readonly string[];
  /** `auto`, `off`, or a directory. */
  readonly cgroup: string;
  /** Of "audit verify", which does nothing else. */
  readonly auditPath?: string;
  /** Bytes. */
  readonly auditFileBytes?: number;
  readonly auditFiles?: number;
  readonly maxCallsPerUser?: number;
  readonly maxStreamsPerUser?: number;
  /** Bytes. */
  readonly maxUnreadPerUser?: number;
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
  readonly maxConnections?: number;
  readonly maxHandshakes?: number;
  readonly maxConnectionsPerUser?: number;
  readonly maxConnectionsPerAddress?: number;
}

/** Where the texts of Commander go. */
export interface HelpOutput {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/**
 * Reads the arguments of `teleportd`. Commander writes the help and the errors, and then throws.
 *
 * @param output where Commander's texts go
 * @throws {CommanderError} with exit code 0 after help and version, else for arguments that cannot be used
 */
export function parseFlags(args: readonly string[], version: string, output: HelpOutput): Flags {
  let auditPath: string | undefined;
  const program = createProgram(version, output, (path) => auditPath = path);
  program.parse(args, { from: "user" });
  return { ...program.opts<Flags & Record<string, never>>(), ...defined({ auditPath }) };
}

/**
 * Makes the program of `teleportd`: its options, its commands and their help.
 *
 * @param output where Commander's texts go
 * @param onVerify receives the path of `audit verify`
 */
export function createProgram(version: string, output: HelpOutput, onVerify: (path: string) => void): Command {
  const program = new Command("teleportd")
    .usage("[OPTIONS]")
    .description("Runs processes for remote users over gRPC with mutual TLS.")
    .version(version)
    .option("--listen <host:port>", "where to listen; port 0 picks a free one", "127.0.0.1:50051")
    .option("--metrics <host:port>", "serve Prometheus metrics on this address of loopback (default: not)")
    .option("--certs <dir>", "certificates (default: $TELEPORT_CERTS, or teleport in ~/.config)")
    .option(
      "--data <dir>",
      "where jobs and output are kept (default: teleport in $XDG_STATE_HOME, or in ~/.local/state)",
    )
    .option("--init-certs", "make the certificates that are missing")
    .option("--policy <file>", "who may do what (default: the roles admin, operator and viewer)")
    .option("--check-config", "say whether certificates, policy and limits can be used, and leave")
    .option("--limits <file>", "what jobs may use, and how many may run (default: no limits)")
    .option("--cgroup <where>", "cgroups of jobs: auto, off, or the directory of a cgroup to make them in", "auto")
    .option("--allow-new-privileges", "let those jobs that ask for it gain privileges, as sudo does")
    .option(
      "--inherit-env <names>",
      "variables of this environment, with commas between, for those jobs that ask for them; * stands for all",
      parseNames,
    )
    .option(
      "--audit-file-bytes <size>",
      "how large a file of the audit record grows (default: 64 MiB)",
      sizeParser("--audit-file-bytes"),
    )
    .option("--audit-files <count>", "how many of them are kept (default: 16)", parseCount)
    .option(
      "--max-calls-per-user <count>",
      "how many calls without a stream a user may have open (default: 1000)",
      parseCount,
    )
    .option(
      "--max-streams-per-user <count>",
      "how many streams a user may have open, over all connections (default: 2000)",
      parseCount,
    )
    .option(
      "--max-unread-per-user <size>",
      "bytes of answers that may wait until a user reads them (default: 16 MiB)",
      sizeParser("--max-unread-per-user"),
    )
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
      "--max-connections <count>",
      "how many connections there may be at once (default: half of what ulimit -n leaves, at most 3000)",
      parseCount,
    )
    .option(
      "--max-handshakes <count>",
      "how many TLS handshakes there may be at once (default: an eighth of all connections)",
      parseCount,
    )
    .option(
      "--max-connections-per-user <count>",
      "how many of them one user may have (default: three quarters of what users have together)",
      parseCount,
    )
    .option(
      "--max-connections-per-address <count>",
      "how many of them one address may have; behind a proxy all clients have the same (default: no limit)",
      parseCount,
    )
    .option(
      "--shutdown-grace <duration>",
      "between SIGTERM and SIGKILL when the server stops (default: each job's own)",
      durationParser("--shutdown-grace", MAX_GRACE_MS),
    )
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "teleportd: ")),
      // Commander's own writers throw from a callback when the disk is full.
      writeOut: output.stdout,
      writeErr: output.stderr,
    });
  program.action(() => {});
  program.command("audit").description("look after the audit record").helpCommand(false)
    .command("verify").argument("<path>", "the directory audit of the data directory, or one file of it")
    .description("say whether every line of the audit record is there, unchanged and in order")
    .allowExcessArguments(false)
    .action(onVerify);
  return program.helpCommand(false);
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

function parseNames(text: string): string[] {
  const names = text.split(",");
  if (names.some((name) => name === "" || name.includes("="))) {
    throw new InvalidArgumentError('Give names with commas between, such as "HTTP_PROXY,TZ"');
  }
  return names;
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
