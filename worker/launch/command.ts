/** What may be run: the bounds of a command, checked when it is registered. */
import { checkRlimits, type Rlimits } from "./rlimits.ts";
import { InvalidArgumentError } from "../errors.ts";

/** Linux takes no longer single argument or variable: MAX_ARG_STRLEN, 32 pages, its NUL included; execve(2). */
const MAX_STRING_BYTES = 131_071;

/** Variables travel through the launcher under longer names. */
const MAX_VARIABLE_BYTES = MAX_STRING_BYTES - 256;

/** Half of what Linux takes by default for arguments and environment together (a quarter of an 8 MiB stack). */
const MAX_TOTAL_BYTES = 1_048_576;

/** Each also takes a pointer of 8 bytes in the same area: these and the bytes above stay well below its 2 MiB. */
const MAX_STRINGS = 65_536;

/** Linux: PATH_MAX, its NUL included. */
const MAX_PATH_BYTES = 4_095;

/** Longer timers overflow: setTimeout counts in a signed 32-bit number of milliseconds (24 days). */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** As many as the longest user names of Linux have: LOGIN_NAME_MAX, its NUL included. */
const MAX_NAME_CHARS = 255;

/** Longer than any orderly end takes; a stop must not be put off for ever. */
const MAX_GRACE_MS = 3_600_000;

/**
 * How far a command is set apart from the rest of its host.
 *
 * - `PRIVATE`: mounts, System V IPC and host name of its own; /tmp and /dev/shm are its own, in memory, and gone with it
 * - `STRICT`: also no network, not even loopback; all else is read-only; and it has no capability, also as root
 *
 * Source: namespaces(7), capabilities(7).
 */
export type Isolation = "PRIVATE" | "STRICT";

/** A command and where and how it runs. */
export interface CommandOptions {
  /** Variables beside the clean default environment, which they override. */
  readonly env?: Readonly<Record<string, string>>;
  /** The directory it runs in; absolute. */
  readonly cwd?: string;
  /** It is stopped when it has run this long, in milliseconds; 0 or absent: no limit. */
  readonly timeoutMs?: number;
  /** How long a stop waits between SIGTERM and SIGKILL, in milliseconds; 10,000 unless given. */
  readonly graceMs?: number;
  /** It has an input, which can be written while it runs; without, it reads from /dev/null. */
  readonly input?: boolean;
  /** The user of the server's system that it runs as, by name or number; only where the server is root. */
  readonly user?: string;
  /** The group; the user's own unless given. */
  readonly group?: string;
  /** No program that it runs may gain privileges, such as those of set-user-id programs; prctl(2). */
  readonly noNewPrivileges?: boolean;
  /** The bits that are taken from the mode of files it makes, from 0 to 0o777; 0o022 unless given. */
  readonly umask?: number;
  /** From -20 (before others) to 19 (after them); 0 unless given. Below 0 needs a privilege. */
  readonly nice?: number;
  /** How far it is set apart from the rest of the host; not at all unless given. */
  readonly isolation?: Isolation;
  /** What each of its processes may use at most. */
  readonly rlimits?: Rlimits;
}

/** The environment of a job that names none: nothing of the server's own leaks into it. */
export const DEFAULT_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/",
  LANG: "C.UTF-8",
};

/** Where a job runs that says nothing: the one directory that is always there. */
export const DEFAULT_CWD = "/";

/** How long a stop waits between SIGTERM and SIGKILL unless told otherwise: as Docker does. */
export const DEFAULT_GRACE_MS = 10_000;

const encoder = new TextEncoder();

/**
 * Checks a command against what Linux can run.
 *
 * @throws {InvalidArgumentError} for an empty command, a NUL byte, a bad variable name, a relative directory, too long
 * arguments, a time out of range
 */
export function checkCommand(command: string, args: readonly string[], options: CommandOptions): void {
  if (command === "") throw new InvalidArgumentError('Empty command "": name a program to run');
  mustBe("arguments", Array.isArray(args), "a list of strings", args);
  const strings = args.length + Object.keys(options.env ?? {}).length;
  if (strings > MAX_STRINGS) {
    throw new InvalidArgumentError(
      `Too many arguments and environment variables "${strings}": give at most ${MAX_STRINGS}`,
    );
  }
  let total = checkString("Command", command, MAX_PATH_BYTES);
  args.forEach((arg, index) => total += checkString(`Argument ${index + 1}`, arg, MAX_STRING_BYTES));
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (name === "" || name.includes("=")) {
      throw new InvalidArgumentError(
        `Invalid environment variable name ${quote(name)}: give a name that is not empty and holds no "="`,
      );
    }
    if (typeof value !== "string") mustBe(`Environment variable ${quote(name)}`, false, "a string", value);
    total += checkString("Environment variable", `${name}=${value}`, MAX_VARIABLE_BYTES);
  }
  if (total > MAX_TOTAL_BYTES) {
    throw new InvalidArgumentError(
      `Command, arguments and environment take "${total}" bytes, at most ${MAX_TOTAL_BYTES} are possible: ` +
        "pass large data in a file",
    );
  }
  if (options.cwd !== undefined) checkCwd(options.cwd);
  if (options.timeoutMs !== undefined) checkMs("timeout", options.timeoutMs, MAX_TIMEOUT_MS);
  if (options.graceMs !== undefined) checkGrace(options.graceMs);
  for (const [what, name] of [["User", options.user], ["Group", options.group]] as const) {
    if (name === "") throw new InvalidArgumentError(`${what} "" is empty: name one, or none`);
    // passwd(5): its fields end with a colon and a line's end.
    if (name !== undefined) checkText(what, name);
    if (name !== undefined && (name.length > MAX_NAME_CHARS || /[:\n\0]/.test(name))) {
      throw new InvalidArgumentError(`${what} ${quote(name)} cannot be: give a name or number of the server's system`);
    }
  }
  if (options.umask !== undefined) checkNumber("umask", options.umask, 0, 0o777);
  if (options.nice !== undefined) checkNumber("niceness", options.nice, -20, 19);
  if (options.isolation !== undefined && !["PRIVATE", "STRICT"].includes(options.isolation)) {
    throw new InvalidArgumentError(`Unknown isolation ${quote(options.isolation)}: give "PRIVATE" or "STRICT"`);
  }
  if (options.rlimits !== undefined) checkRlimits(options.rlimits);
}

function checkNumber(what: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new InvalidArgumentError(`Invalid ${what} "${value}": give a whole number from ${min} to ${max}`);
}

/** @throws {InvalidArgumentError} when the grace period is no whole number of milliseconds from 0 to one hour */
export function checkGrace(graceMs: number): void {
  checkMs("grace period", graceMs, MAX_GRACE_MS);
}

function checkMs(what: string, ms: number, max: number): void {
  if (!Number.isSafeInteger(ms) || ms < 0 || ms > max) {
    throw new InvalidArgumentError(`Invalid ${what} "${ms}": give whole milliseconds from 0 to ${max}`);
  }
}

function checkCwd(cwd: string): void {
  checkString("Working directory", cwd, MAX_PATH_BYTES);
  if (!cwd.startsWith("/")) {
    throw new InvalidArgumentError(`Relative working directory ${quote(cwd)}: give an absolute path`);
  }
}

/** A program in JavaScript may give anything, and would fail later with less to go by. */
function mustBe(what: string, isSo: boolean, kind: string, value: unknown): void {
  if (isSo) return;
  throw new InvalidArgumentError(
    `Invalid type: ${what} must be ${kind}, got ${value === null ? "null" : typeof value}`,
  );
}

/** Returns the bytes the string takes in the kernel's argument area, its NUL included. */
function checkString(what: string, value: string, maxBytes: number): number {
  mustBe(what, typeof value === "string", "a string", value);
  if (value.includes("\0")) {
    throw new InvalidArgumentError(`${what} ${quote(value)} holds a NUL byte: no program can be given one`);
  }
  checkText(what, value);
  // A UTF-16 unit takes at most three bytes, so short strings need no encoding to be known to fit.
  const bytes = value.length * 3 < 512 && /^[\x20-\x7e]*$/.test(value) ? value.length : encoder.encode(value).length;
  if (bytes > maxBytes) {
    throw new InvalidArgumentError(`${what} ${quote(value)} takes "${bytes}" bytes: give at most ${maxBytes}`);
  }
  return bytes + 1;
}

/**
 * Half of a surrogate pair has no bytes in UTF-8: it would reach the program as another character.
 *
 * @throws {InvalidArgumentError} naming the value
 */
export function checkText(what: string, value: string): void {
  if (value.isWellFormed()) return;
  throw new InvalidArgumentError(`${what} ${quote(value)} is not valid Unicode: it holds half of a surrogate pair`);
}

/** As JSON, so that nothing in it can disturb a terminal or a log, and short enough to read. */
export function quote(text: string): string {
  return JSON.stringify(text.length <= 100 ? text : `${text.slice(0, 100)}…`);
}
