/** The command line of `teleportd`: its options, their help, and how each value is parsed. */
import { JOB_OPTIONS } from "../base/job_options/table.ts";
import { Command, Option } from "commander";
import { defined } from "../base/defined.ts";
import type { LogLevel } from "../base/logger.ts";
import type { OutputPolicy } from "../mod.ts";
import { DEFAULT_KEEP_JOBS, DEFAULT_LISTEN } from "./defaults.ts";
import { addEngineOptions, type EngineFlags } from "./engine_flags.ts";
import {
  durationParser,
  parseAbsolutePath,
  parseCount,
  parseNames,
  parseOutputPolicy,
  sizeParser,
} from "./flag_values.ts";
import { addHostCommands, type HostCommand } from "./host/commands.ts";
import type { LogFormat } from "./log/format.ts";
import { LOG_LEVELS } from "./log/server_log.ts";

/** The longest `--keep`, a hundred years in milliseconds. */
const MAX_KEEP_MS = 3_155_760_000_000;

/** The options of `teleportd`. An absent option has a default elsewhere, or sets no limit. */
export interface Flags extends EngineFlags {
  /** HOST:PORT. */
  readonly listen?: string;
  /** HOST:PORT of a loopback address. */
  readonly metrics?: string;
  readonly certs?: string;
  readonly data?: string;
  /** The user of the job host, when it is another one. */
  readonly hostUser?: string;
  readonly initCerts?: boolean;
  readonly policy?: string;
  readonly checkConfig?: boolean;
  readonly limits?: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly allowNewPrivileges?: boolean;
  /** Names of variables, or `*` for all. */
  readonly inheritEnv?: readonly string[];
  readonly jobDir?: string;
  /** Where jobs run. */
  readonly jobHost: "separate" | "external" | "none";
  readonly stopJobs?: boolean;
  /** `auto`, `off`, or a directory. */
  readonly cgroup: string;
  /** The argument of `audit verify`. With it the program does nothing else. */
  readonly auditPath?: string;
  /** The command `host …`. With it the program does nothing else. */
  readonly hostCommand?: HostCommand;
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

/** Where Commander writes its texts. */
export interface HelpOutput {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** Receives the commands of the command line. */
export interface CommandReceivers {
  /** Receives the path of `audit verify`. */
  readonly verify: (path: string) => void;
  readonly host: (command: HostCommand) => void;
}

/**
 * Parses the arguments of `teleportd`. Commander writes help and errors, and then throws.
 *
 * @param output where Commander's texts go
 * @throws {CommanderError} with exit code 0 after help and version, else for arguments that cannot be used
 *
 * @example
 * ```ts
 * import { parseFlags } from "./flags.ts";
 *
 * const flags = parseFlags(["--keep", "7d"], "1.0.0", { stdout: console.log, stderr: console.error });
 * console.assert(flags.keep === 604_800_000);
 * ```
 */
export function parseFlags(args: readonly string[], version: string, output: HelpOutput): Flags {
  let auditPath: string | undefined;
  let hostCommand: HostCommand | undefined;
  const program = createProgram(version, output, {
    verify: (path) => auditPath = path,
    host: (command) => hostCommand = command,
  });
  program.parse(args, { from: "user" });
  return { ...program.opts<Flags & Record<string, never>>(), ...defined({ auditPath, hostCommand }) };
}

/**
 * Creates the program of `teleportd`: its options, its commands and their help.
 *
 * @param output where Commander's texts go
 * @param commands receive the arguments of the commands
 */
export function createProgram(version: string, output: HelpOutput, commands: CommandReceivers): Command {
  const program = new Command("teleportd")
    .usage("[OPTIONS]")
    .description("Runs processes for remote users over gRPC with mutual TLS.")
    .version(version)
    .option(
      "--listen <host:port>",
      `address to listen on; port 0 selects a free port (default: the socket of the service manager, or ${DEFAULT_LISTEN})`,
    )
    .option("--metrics <host:port>", "serve Prometheus metrics on this loopback address (default: no metrics)")
    .option("--certs <dir>", "certificate directory (default: $TELEPORT_CERTS, or teleport in ~/.config)")
    .option(
      "--data <dir>",
      "data directory of jobs and output (default: teleport in $XDG_STATE_HOME or ~/.local/state)",
    )
    .option("--host-user <user>", "the user of the job host, if it is another one; --job-host external starts it")
    .option("--init-certs", "make the certificates that are missing")
    .option("--policy <file>", "policy file (default: the roles admin, operator and viewer)")
    .option("--check-config", "check certificates, policy and limits, and exit")
    .option("--limits <file>", "limits file of jobs (default: no limits)")
    .addOption(
      new Option("--log-level <level>", "least severe level to log").choices(LOG_LEVELS).default("info"),
    )
    .addOption(
      new Option("--log-format <format>", "text, or one JSON object a line").choices(["text", "json"]).default("text"),
    )
    .option("--job-dir <dir>", "working directory of jobs that set none (default: /)", parseAbsolutePath)
    .addOption(
      new Option(
        "--job-host <where>",
        "what runs the jobs: a separate process, an external one of the service manager, or none but the server itself",
      ).choices(["separate", "external", "none"]).default("separate"),
    )
    .option("--stop-jobs", "stop all jobs when the server stops (default: they continue, unless --job-host is none)")
    .option("--cgroup <where>", "where jobs get cgroups: auto, off, or the directory of a cgroup", "auto")
    .option("--allow-new-privileges", "let jobs that request it gain privileges, for example by sudo")
    .option(
      "--inherit-env <names>",
      "variables that jobs may inherit if they request it, separated by commas; * for all",
      parseNames,
    )
    .option(
      "--audit-file-bytes <size>",
      "size of a file of the audit log (default: 64 MiB)",
      sizeParser("--audit-file-bytes"),
    )
    .option("--audit-files <count>", "number of files of the audit log (default: 16)", parseCount)
    .option(
      "--max-calls-per-user <count>",
      "most calls that a user may have open, streams not counted (default: 1000)",
      parseCount,
    )
    .option("--max-streams-per-user <count>", "most streams that a user may have open (default: 2000)", parseCount)
    .option(
      "--max-unread-per-user <size>",
      "most bytes of answers that may wait for a user to read them (default: 16 MiB)",
      sizeParser("--max-unread-per-user"),
    )
    .option(
      "--max-output <size>",
      "most bytes of output of a job that sets no limit (default: no limit)",
      sizeParser("--max-output"),
    )
    .addOption(
      new Option("--output-policy <policy>", "what happens at that limit: stop, keep-newest or block")
        .argParser(parseOutputPolicy).default("STOP" as const, "stop"),
    )
    .option(
      "--max-output-total <size>",
      "most bytes of all jobs and their output; the oldest ended jobs are removed first (default: half of the free disk)",
      sizeParser("--max-output-total"),
    )
    .option("--keep <duration>", "how long to keep ended jobs (default: 30d)", durationParser("--keep", MAX_KEEP_MS))
    .option(
      "--keep-jobs <count>",
      `most jobs; the oldest ended jobs are removed first (default: ${DEFAULT_KEEP_JOBS})`,
      parseCount,
    )
    .option(
      "--max-connections <count>",
      "most connections (default: half of what ulimit -n leaves, at most 3000)",
      parseCount,
    )
    .option("--max-handshakes <count>", "most TLS handshakes at a time (default: 1/8 of all connections)", parseCount)
    .option(
      "--max-connections-per-user <count>",
      "most connections of one user (default: 3/4 of the connections of all users)",
      parseCount,
    )
    .option(
      "--max-connections-per-address <count>",
      "most connections of one address; clients behind a proxy share an address (default: no limit)",
      parseCount,
    )
    .option(
      "--shutdown-grace <duration>",
      "time between SIGTERM and SIGKILL when all jobs are stopped (default: the grace period of each job)",
      durationParser("--shutdown-grace", JOB_OPTIONS.graceMs.max),
    )
    .allowExcessArguments(false)
    // An option after the name of a command belongs to the command: both have --data.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "teleportd: ")),
      // Commander's own writers throw from a callback when the disk is full.
      writeOut: output.stdout,
      writeErr: output.stderr,
    });
  program.action(() => {});
  program.command("audit").description("examine the audit log").helpCommand(false)
    .command("verify").argument("<path>", "the directory audit of the data directory, or one of its files")
    .description("check that every line of the audit log is present, unchanged and in order")
    .allowExcessArguments(false)
    .action(commands.verify);
  addHostCommands(program, commands.host);
  addEngineOptions(program);
  return program.helpCommand(false);
}
