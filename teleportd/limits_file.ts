/** Parses the limits file of `teleportd --limits`. */
import { JOB_OPTIONS } from "../base/job_options/table.ts";
import { defined } from "../base/defined.ts";
import { parseDurationMs } from "../units/duration.ts";
import { parseSizeBytes } from "../units/size.ts";
import { addUlimit } from "../units/ulimit.ts";
import { UsageError } from "../units/usage_error.ts";
import { type CgroupLimits, type Controller, type JobLimits, type Limits, NotEnforceableError } from "../mod.ts";
import { groupValuesOf } from "../service/convert/job_options.ts";
import { RLIMITS, type Rlimits } from "../base/job_options/rlimits.ts";
import { JsonFormError, parseJson, readFields, readObject, readOptional } from "../text/strict_json.ts";
import { StartError } from "./start_error.ts";

/** The longest file, in UTF-16 code units. */
const MAX_CHARS = 65_536;

const FILE_FIELDS = { default: false, max: false, running: false, running_per_user: false, comment: false };

const LIMIT_FIELDS = {
  timeout: false,
  ulimits: false,
  memory: false,
  cpus: false,
  pids: false,
  read_rate: false,
  write_rate: false,
  comment: false,
};

/** The limits of the file. */
export type FileLimits = Pick<Limits, "defaultLimits" | "maxLimits" | "maxRunning" | "maxRunningPerOwner">;

/**
 * Parses the text of a limits file.
 *
 * @throws {StartError} when a field or a value is not documented. A misspelt name would otherwise set no limit.
 *
 * @example
 * ```ts
 * import { parseLimits } from "./limits_file.ts";
 *
 * const limits = parseLimits(`{
 *   "default": { "timeout": "1h", "ulimits": { "nofile": 1024, "core": 0 } },
 *   "max": { "timeout": "24h", "memory": "8G", "cpus": 2, "pids": 500 },
 *   "running": 200, "running_per_user": 20
 * }`);
 * console.assert(limits.maxRunning === 200);
 * ```
 */
export function parseLimits(text: string): FileLimits {
  try {
    return limitsOf(parseJson(text, MAX_CHARS));
  } catch (error) {
    if (!(error instanceof JsonFormError)) throw error;
    throw new StartError(`Cannot use the limits file: ${error.message}`);
  }
}

function limitsOf(json: unknown): FileLimits {
  const given = readFields(json, "", FILE_FIELDS);
  return defined({
    defaultLimits: readOptional(given, "default", "", jobLimits),
    maxLimits: readOptional(given, "max", "", jobLimits),
    maxRunning: readOptional(given, "running", "", count),
    maxRunningPerOwner: readOptional(given, "running_per_user", "", count),
  });
}

/** A key of the file, and the controller that enforces it. */
interface CgroupKey {
  readonly key: keyof typeof LIMIT_FIELDS;
  readonly controller: Controller;
}

/** The keys of the limits of cgroups, by their names in the library. */
const CGROUP_KEYS = {
  maxMemoryBytes: { key: "memory", controller: "memory" },
  maxCpus: { key: "cpus", controller: "cpu" },
  maxProcesses: { key: "pids", controller: "pids" },
  maxReadBytesPerS: { key: "read_rate", controller: "io" },
  maxWriteBytesPerS: { key: "write_rate", controller: "io" },
} as const satisfies Readonly<Partial<Record<keyof CgroupLimits, CgroupKey>>>;

const CGROUP_NAMES = Object.keys(CGROUP_KEYS) as (keyof typeof CGROUP_KEYS)[];

/**
 * Adds the file and its keys to the error about limits that no job here can have.
 *
 * @param path the file; undefined without one
 * @param controllers the controllers that jobs can use
 * @returns the error itself when it is another one, or concerns no key of the file
 */
export function limitsErrorOf(
  error: unknown,
  path: string | undefined,
  { defaultLimits, maxLimits }: FileLimits,
  controllers: readonly Controller[] = [],
): unknown {
  if (path === undefined || !(error instanceof NotEnforceableError)) return error;
  const keys = Object.entries({ default: defaultLimits, max: maxLimits }).flatMap(([section, limits]) =>
    CGROUP_NAMES.filter((name) =>
      limits?.cgroupLimits?.[name] !== undefined && !controllers.includes(CGROUP_KEYS[name].controller)
    ).map((name) => `"${section}.${CGROUP_KEYS[name].key}"`)
  );
  if (keys.length === 0) return error;
  return new StartError(
    `Cannot enforce ${keys.join(" and ")} of the limits file "${path}": ${error.message}; ` +
      "correct the file, or start the server where its cgroup can limit jobs",
    { cause: error },
  );
}

function jobLimits(value: unknown, at: string): JobLimits {
  const given = readFields(value, at, LIMIT_FIELDS);
  const cgroupLimits: CgroupLimits = defined({
    maxMemoryBytes: readOptional(given, "memory", at, size),
    maxCpus: readOptional(given, "cpus", at, number),
    maxProcesses: readOptional(given, "pids", at, count),
    maxReadBytesPerS: readOptional(given, "read_rate", at, size),
    maxWriteBytesPerS: readOptional(given, "write_rate", at, size),
  });
  return defined({
    timeoutMs: readOptional(given, "timeout", at, timeoutMs),
    rlimits: readOptional(given, "ulimits", at, rlimitsOf),
    cgroupLimits: Object.keys(cgroupLimits).length === 0 ? undefined : cgroupLimits,
  });
}

function rlimitsOf(value: unknown, at: string): Rlimits {
  let ulimits = {};
  for (const [name, limit] of Object.entries(readObject(value, at))) {
    if (typeof limit !== "number" && typeof limit !== "string") {
      throw new JsonFormError(`${at}.${name}`, "give a number or a string");
    }
    ulimits = withFormError(() => addUlimit(`${name}=${limit}`, ulimits, at));
  }
  return groupValuesOf<Rlimits>(RLIMITS, ulimits);
}

function timeoutMs(value: unknown, at: string): number {
  if (typeof value !== "string") throw new JsonFormError(at, 'give a string such as "1h30m"');
  return withFormError(() => parseDurationMs(value, { name: at, minMs: 1, maxMs: JOB_OPTIONS.timeoutMs.max }));
}

function size(value: unknown, at: string): number {
  if (typeof value !== "string") throw new JsonFormError(at, 'give a string such as "512MiB"');
  return withFormError(() => parseSizeBytes(value, at));
}

function number(value: unknown, at: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw new JsonFormError(at, "give a number above 0, such as 1.5");
}

function count(value: unknown, at: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new JsonFormError(at, "give an integer from 1");
}

/** Converts the errors of the parsers that the command line has too. */
function withFormError<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw new JsonFormError("", error.message);
    throw error;
  }
}
