/** The file of limits that `teleportd --limits` takes: JSON, every word of it known, or refused with the place. */
import { parseDurationMs } from "../units/duration.ts";
import { parseSizeBytes } from "../units/size.ts";
import { addUlimit } from "../units/ulimit.ts";
import { UsageError } from "../units/usage_error.ts";
import type { CgroupLimits, JobLimits, Limits } from "../mod.ts";
import { rlimitsOf } from "../service/convert/rlimits.ts";
import { oneLine } from "../text/unprintable.ts";
import { StartError } from "./start_error.ts";

/** Far more than any; a file beyond it is something else. */
const MAX_CHARS = 65_536;

/** As the library bounds timeouts. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** What the file says. */
export type FileLimits = Pick<Limits, "defaultLimits" | "maxLimits" | "maxRunning" | "maxRunningPerOwner">;

/**
 * Reads the text of a file of limits.
 *
 * @throws {StartError} for anything that is not exactly as documented, so that no misspelt word is no limit
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
  if (text.length > MAX_CHARS) throw wrong("", `it is too long, give at most ${MAX_CHARS} characters`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong("", `it is no JSON: ${oneLine(error)}`);
  }
  const given = fields(json, "", ["default", "max", "running", "running_per_user", "comment"]);
  return {
    ...(given.default === undefined ? {} : { defaultLimits: jobLimits(given.default, "default") }),
    ...(given.max === undefined ? {} : { maxLimits: jobLimits(given.max, "max") }),
    ...(given.running === undefined ? {} : { maxRunning: count(given.running, "running") }),
    ...(given.running_per_user === undefined
      ? {}
      : { maxRunningPerOwner: count(given.running_per_user, "running_per_user") }),
  };
}

function jobLimits(value: unknown, at: string): JobLimits {
  const known = ["timeout", "ulimits", "memory", "cpus", "pids", "read_rate", "write_rate", "comment"];
  const { timeout, ulimits, memory, cpus, pids, read_rate, write_rate } = fields(value, at, known);
  const cgroupLimits: CgroupLimits = {
    ...(memory === undefined ? {} : { maxMemoryBytes: size(memory, `${at}.memory`) }),
    ...(cpus === undefined ? {} : { maxCpus: number(cpus, `${at}.cpus`) }),
    ...(pids === undefined ? {} : { maxProcesses: count(pids, `${at}.pids`) }),
    ...(read_rate === undefined ? {} : { maxReadBytesPerS: size(read_rate, `${at}.read_rate`) }),
    ...(write_rate === undefined ? {} : { maxWriteBytesPerS: size(write_rate, `${at}.write_rate`) }),
  };
  const rlimits = ulimits === undefined ? undefined : Object.entries(object(ulimits, `${at}.ulimits`)).reduce(
    (before, [name, limit]) => {
      if (typeof limit !== "number" && typeof limit !== "string") {
        throw wrong(`${at}.ulimits.${name}`, "give a number or a text");
      }
      return typed(() => addUlimit(`${name}=${limit}`, before, `${at}.ulimits`));
    },
    {},
  );
  return {
    ...(timeout === undefined ? {} : { timeoutMs: timeoutMs(timeout, `${at}.timeout`) }),
    ...(rlimits === undefined ? {} : { rlimits: rlimitsOf(rlimits) }),
    ...(Object.keys(cgroupLimits).length === 0 ? {} : { cgroupLimits }),
  };
}

function timeoutMs(value: unknown, at: string): number {
  if (typeof value !== "string") throw wrong(at, 'give a text such as "1h30m"');
  return typed(() => parseDurationMs(value, { name: at, minMs: 1, maxMs: MAX_TIMEOUT_MS }));
}

function size(value: unknown, at: string): number {
  if (typeof value !== "string") throw wrong(at, 'give a text such as "512MiB"');
  return typed(() => parseSizeBytes(value, at));
}

function number(value: unknown, at: string): number {
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  throw wrong(at, "give a number above 0, such as 1.5");
}

function count(value: unknown, at: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw wrong(at, "give a whole number from 1");
}

/** What was written in the words of the command line is refused in its words. */
function typed<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw wrong("", error.message);
    throw error;
  }
}

function fields(value: unknown, at: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  const given = object(value, at);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return given;
  throw wrong(at, `${JSON.stringify(unknown)} is not known: give ${known.map((name) => `"${name}"`).join(", ")}`);
}

function object(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(at, "give an object");
}

function wrong(at: string, what: string): StartError {
  return new StartError(`File of limits cannot be used: ${at === "" ? "" : `at ${at}, `}${what}`);
}
