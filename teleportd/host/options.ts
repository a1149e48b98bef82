/**
 * The options of `teleportd host run` as a table. Commander reads it for help and errors. A job host parses its own
 * options with it, because Commander takes 3.6 MB of memory.
 */
import { JOB_OPTIONS } from "../../base/job_options/table.ts";
import type { LogLevel } from "../../base/logger.ts";
import { parseDurationMs } from "../../units/duration.ts";
import { UsageError } from "../../units/usage_error.ts";
import type { LogFormat } from "../log/format.ts";
import { LOG_LEVELS } from "../log/server_log.ts";

/** The options of a job host. An absent option has a default elsewhere. */
export interface HostRunOptions {
  /** The data directory. */
  readonly data?: string;
  /** `auto`, `off`, or a directory. */
  readonly cgroup: string;
  readonly allowNewPrivileges?: boolean;
  /** True: the host stays without a server and without jobs. */
  readonly stay?: boolean;
  /** The user of the server, when it is another one. The group of this process may then read its files. */
  readonly serverUser?: string;
  readonly instance?: string;
  /** Milliseconds. */
  readonly shutdownGrace?: number;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** One option. The member of {@linkcode HostRunOptions} is its name in camel case. */
export interface HostOption {
  /** In the notation of Commander, such as `--data <dir>`. Without `<…>` it takes no value. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly fallback?: string;
  /** Parses the value. Throws a UsageError. Absent: any text. */
  readonly parse?: (text: string) => string | number;
}

/** The names that instances may have. They are names of directories, and part of the names of cgroups. */
const INSTANCE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The options, in the order of the help. */
export const HOST_OPTIONS: readonly HostOption[] = [
  {
    flags: "--data <dir>",
    description: "data directory of jobs and output (default: teleport in $XDG_STATE_HOME or ~/.local/state)",
  },
  {
    flags: "--stay",
    description: "stay without a server and without jobs, for a service manager; log to standard error",
  },
  {
    flags: "--cgroup <where>",
    description: "where jobs get cgroups: auto, off, or the directory of a cgroup",
    fallback: "auto",
  },
  { flags: "--allow-new-privileges", description: "let jobs that request it gain privileges, for example by sudo" },
  {
    flags: "--shutdown-grace <duration>",
    description: "time between SIGTERM and SIGKILL when the job host stops (default: the grace period of each job)",
    parse: (text) => parseDurationMs(text, { name: "--shutdown-grace", minMs: 0, maxMs: JOB_OPTIONS.graceMs.max }),
  },
  {
    flags: "--server-user <user>",
    description: "the user of the server, if it is another one; the group of this process may then read its files",
  },
  { flags: "--instance <id>", description: "name of this job host (default: a random one)", parse: parseInstance },
  { flags: "--log-level <level>", description: "least severe level to log", choices: LOG_LEVELS, fallback: "info" },
  {
    flags: "--log-format <format>",
    description: "text, or one JSON object a line",
    choices: ["text", "json"],
    fallback: "text",
  },
];

/** Returns a new random instance. */
export function newInstance(): string {
  return crypto.getRandomValues(new Uint8Array(8)).toHex();
}

/** Returns the member of {@linkcode HostRunOptions} for an option. */
function memberOf(option: HostOption): string {
  const [name = ""] = option.flags.slice(2).split(" ");
  return name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}

/**
 * Parses the arguments of `host run`.
 *
 * @returns undefined when an argument is not as it should be, or asks for help. Commander then has the text for it.
 */
export function parseHostRun(args: readonly string[]): HostRunOptions | undefined {
  const options: Record<string, string | number | boolean> = {};
  for (const option of HOST_OPTIONS) {
    if (option.fallback !== undefined) options[memberOf(option)] = option.fallback;
  }
  for (let index = 0; index < args.length; index++) {
    const [, name, inline] = /^(--[^=]+)(?:=([^]*))?$/.exec(args[index]!) ?? [];
    const option = HOST_OPTIONS.find(({ flags }) => flags.split(" ")[0] === name);
    if (option === undefined) return undefined;
    if (!option.flags.includes("<")) {
      if (inline !== undefined) return undefined;
      options[memberOf(option)] = true;
      continue;
    }
    const value = inline ?? args[++index];
    if (value === undefined || option.choices?.includes(value) === false) return undefined;
    try {
      options[memberOf(option)] = option.parse?.(value) ?? value;
    } catch (error) {
      if (error instanceof UsageError) return undefined;
      throw error;
    }
  }
  return options as unknown as HostRunOptions;
}

/** Returns the arguments from which {@linkcode parseHostRun} makes these options. */
export function hostRunArguments(options: HostRunOptions): string[] {
  const values = options as unknown as Readonly<Record<string, string | number | boolean | undefined>>;
  return HOST_OPTIONS.flatMap((option) => {
    const value = values[memberOf(option)];
    const [name = ""] = option.flags.split(" ");
    if (value === undefined || value === false || value === option.fallback) return [];
    if (value === true) return [name];
    return [`${name}=${option.parse !== undefined && typeof value === "number" ? `${value}ms` : value}`];
  });
}

function parseInstance(text: string): string {
  if (!INSTANCE.test(text)) throw new UsageError("It must be 1 to 64 letters, digits, - and _");
  return text;
}
