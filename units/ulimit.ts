/** Limits of a job's processes (setrlimit(2)) in text form, such as `nofile=1024` or `as=2G`. */
import { type RlimitMember, RLIMITS } from "../base/job_options/rlimits.ts";
import type { Rlimits } from "../proto/teleport/v1/job_worker.ts";
import { parseNumber } from "./number.ts";
import { UsageError } from "./usage_error.ts";

/** The limits by name. The names are those of `docker run --ulimit` and limits.conf(5). */
const LIMITS: ReadonlyMap<string, RlimitMember> = new Map(
  Object.values<RlimitMember>(RLIMITS).map((limit) => [limit.word, limit]),
);

/** The names of the limits, for help and errors. */
const ULIMIT_NAMES: readonly string[] = [...LIMITS.keys()].sort();

/**
 * Parses one NAME=VALUE, and adds it to earlier limits.
 *
 * @param option the name of the option for the error text, such as `--ulimit`
 * @throws {UsageError} when the name is unknown, or the value is not valid
 */
export function addUlimit(text: string, before: Rlimits | undefined, option = "--ulimit"): Rlimits {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(at, 0));
  const limit = LIMITS.get(name);
  if (limit === undefined) {
    const names = ULIMIT_NAMES.map((known) => `"${known}"`).join(", ");
    throw new UsageError(`Invalid value "${text}" for ${option}: give NAME=VALUE with a name of ${names}`);
  }
  return { ...before, [limit.field]: parseNumber(text.slice(at + 1), `${option} ${name}`, limit) };
}
