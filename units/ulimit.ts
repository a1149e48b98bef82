/** Limits of a job's processes as people type and read them: `nofile=1024`, `as=2G`, in the words of setrlimit(2). */
import type { Rlimits } from "../proto/teleport/v1/job_worker.ts";
import { parseDurationMs } from "./duration.ts";
import { parseSizeBytes } from "./size.ts";
import { UsageError } from "./usage_error.ts";

type Field = keyof Rlimits;

/** The names, as `docker run --ulimit` and limits.conf(5) have them. */
const FIELDS: Readonly<Record<string, Field>> = {
  as: "address_space_bytes",
  core: "core_bytes",
  cpu: "cpu_seconds",
  fsize: "file_bytes",
  nofile: "open_files",
  nproc: "processes",
};

/** The names of the limits, for help and errors. */
export const ULIMIT_NAMES: readonly string[] = Object.keys(FIELDS);

/** A year of processor time: whoever wants more wants no limit. */
const MAX_CPU_MS = 31_536_000_000;

/**
 * Adds one NAME=VALUE to the limits typed before.
 *
 * @param option the option it was typed for, such as `--ulimit`
 * @throws {UsageError} for an unknown name, or a value that is not of its kind
 */
export function addUlimit(text: string, before: Rlimits | undefined, option = "--ulimit"): Rlimits {
  const at = text.indexOf("=");
  const name = text.slice(0, Math.max(at, 0));
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (field === undefined) {
    const names = ULIMIT_NAMES.map((known) => `"${known}"`).join(", ");
    throw new UsageError(`Invalid value "${text}" for ${option}: give NAME=VALUE with a name of ${names}`);
  }
  return { ...before, [field]: parseValue(field, text.slice(at + 1), `${option} ${name}`) };
}

function parseValue(field: Field, text: string, name: string): number {
  switch (field) {
    case "cpu_seconds":
      if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
      return Math.ceil(parseDurationMs(text, { name, minMs: 1_000, maxMs: MAX_CPU_MS }) / 1_000);
    case "core_bytes":
    case "file_bytes":
      return text === "0" ? 0 : parseSizeBytes(text, name);
    case "address_space_bytes":
      return parseSizeBytes(text, name);
    default:
      // The server has a bound for open files, too.
      if (!/^[1-9][0-9]{0,8}$/.test(text)) {
        throw new UsageError(`Invalid value "${text}" for ${name}: give a whole number from 1 to 999999999`);
      }
      return Number(text);
  }
}

/** The limits in the words in which they are typed: `as=1073741824 nofile=1024`. */
export function ulimitText(rlimits: Rlimits | null): string {
  if (rlimits === null) return "";
  return Object.entries(FIELDS).flatMap(([name, field]) => {
    const value = rlimits[field];
    return value === undefined ? [] : `${name}=${value}`;
  }).join(" ");
}
