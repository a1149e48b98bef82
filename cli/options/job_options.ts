/** The options that describe a job, as `register` and `run` take them. */
import type { Sent } from "../../proto/service.ts";
import type { Isolation, JobRequest, OutputPolicy, Rlimits } from "../../proto/teleport/v1/job_worker.ts";
import { type CgroupFlags, cgroupLimits } from "./cgroup_options.ts";
import { parseDurationMs } from "../../units/duration.ts";
import { parseSizeBytes } from "../../units/size.ts";
import { UsageError } from "../../units/usage_error.ts";
import { defined } from "../../base/defined.ts";

/** Options as typed. */
export interface JobFlags extends CgroupFlags {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly label?: Record<string, string>;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Milliseconds. */
  readonly grace?: number;
  /** Bytes. */
  readonly maxOutput?: number;
  readonly outputPolicy?: OutputPolicy;
  readonly user?: string;
  readonly group?: string;
  readonly umask?: number;
  readonly nice?: number;
  readonly ulimit?: Rlimits;
  readonly isolate?: Isolation;
  readonly allowNewPrivileges?: boolean;
  readonly inheritEnv?: boolean;
  readonly stdin?: true;
  readonly template?: string;
  readonly param?: Record<string, string>;
}

/**
 * The request for a job.
 *
 * @param command the program; taken as it is, as are its arguments. Undefined with a template, which has one
 * @throws {UsageError} with neither or both of command and template, or options that need another
 */
export function jobRequest(command: string | undefined, args: readonly string[], flags: JobFlags): Sent<JobRequest> {
  const { template } = flags;
  if (command === undefined && template === undefined) throw new UsageError('Missing required argument "COMMAND"');
  if (command !== undefined && template !== undefined) {
    throw new UsageError(`Unexpected command "${command}" with --template: give --param NAME=VALUE`);
  }
  if (flags.param !== undefined && template === undefined) {
    throw new UsageError("--param needs a template to be for: give --template too");
  }
  if (flags.outputPolicy !== undefined && flags.maxOutput === undefined) {
    throw new UsageError("--output-policy needs a limit to be for: give --max-output too");
  }
  const limits = cgroupLimits(flags);
  return {
    command: command ?? "",
    args: [...args],
    ...(template === undefined ? {} : { template, parameters: flags.param ?? {} }),
    env: flags.env ?? {},
    cwd: flags.cwd ?? "",
    labels: flags.label ?? {},
    timeout_ms: flags.timeout ?? 0,
    grace_ms: flags.grace,
    ...(flags.stdin ? { input: true } : {}),
    ...defined({
      max_output_bytes: flags.maxOutput,
      output_policy: flags.outputPolicy,
      user: flags.user,
      group: flags.group,
      umask: flags.umask,
      nice: flags.nice,
      rlimits: flags.ulimit,
      isolation: flags.isolate,
      cgroup_limits: limits,
    }),
    ...(flags.allowNewPrivileges ? { allow_new_privileges: true } : {}),
    ...(flags.inheritEnv ? { inherit_env: true } : {}),
  };
}

/**
 * Adds one pair, such as NAME=VALUE, to those typed before. The value may be empty and may hold further `=`.
 *
 * @param options.name the option it was typed for, such as `--env`
 * @param options.form how the option's help writes a pair. Default: NAME=VALUE
 * @throws {UsageError} without a name or without `=`
 */
export function addPair(
  text: string,
  before: Record<string, string> | undefined,
  options: { name: string; form?: string },
): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`Invalid value "${text}" for ${options.name}: give ${options.form ?? "NAME=VALUE"}`);
  // No prototype, so that a variable may be called `__proto__`.
  return Object.assign(Object.create(null), before, { [text.slice(0, at)]: text.slice(at + 1) });
}

/** Reads `--max-output`. */
export function parseMaxOutput(text: string): number {
  return parseSizeBytes(text, "--max-output");
}

/** Reads `--umask`: octal, as everywhere. */
export function parseUmask(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text) || parseInt(text, 8) > 0o777) {
    throw new UsageError(`Invalid value "${text}" for --umask: give octal digits from 0 to 777`);
  }
  return parseInt(text, 8);
}

/** Reads `--isolate`. */
export function parseIsolation(text: string): Isolation {
  if (text === "private") return "ISOLATION_PRIVATE";
  if (text === "strict") return "ISOLATION_STRICT";
  throw new UsageError(`Unknown isolation "${text}" for --isolate: give "private" or "strict"`);
}

/** Reads `--nice`. */
export function parseNice(text: string): number {
  if (!/^1?[0-9]$/.test(text)) {
    throw new UsageError(`Invalid value "${text}" for --nice: give a whole number from 0 to 19`);
  }
  return Number(text);
}

const POLICIES: Readonly<Record<string, OutputPolicy>> = {
  stop: "OUTPUT_POLICY_STOP",
  "keep-newest": "OUTPUT_POLICY_KEEP_NEWEST",
  block: "OUTPUT_POLICY_BLOCK",
};

/** Reads `--output-policy`. */
export function parsePolicy(text: string): OutputPolicy {
  const policy = Object.hasOwn(POLICIES, text) ? POLICIES[text] : undefined;
  if (policy !== undefined) return policy;
  throw new UsageError(`Unknown policy "${text}" for --output-policy: give "stop", "keep-newest" or "block"`);
}

/** The server's timers end at 2^31 - 1 ms, which is a little more. */
const MAX_TIMEOUT_MS = 596 * 3_600_000;
/** The server's bound. Who needs longer wants a signal of his own, not a stop. */
const MAX_GRACE_MS = 3_600_000;

/** Reads `--timeout`: at least 1 ms, for 0 would be no limit at all. */
export function parseTimeoutMs(text: string): number {
  return parseDurationMs(text, { name: "--timeout", minMs: 1, maxMs: MAX_TIMEOUT_MS });
}

/** Reads `--grace`: 0s kills at once. */
export function parseGraceMs(text: string): number {
  return parseDurationMs(text, { name: "--grace", minMs: 0, maxMs: MAX_GRACE_MS });
}
