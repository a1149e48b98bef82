/** What may be run: the bounds of a command, checked when it is registered. */
import { optionsError } from "../../base/job_options/check.ts";
import type { ExecutionOptions, JobOptionValues } from "../../base/job_options/table.ts";
import { quote } from "../../base/quote.ts";
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

/** A command and where and how it runs. */
export interface CommandOptions extends ExecutionOptions {
  /** Variables beside the clean default environment, which they override. */
  readonly env?: Readonly<Record<string, string>>;
  /** The directory it runs in; absolute. */
  readonly cwd?: string;
  /** No program that it runs may gain privileges, such as those of set-user-id programs; prctl(2). */
  readonly noNewPrivileges?: boolean;
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
  checkJobOptions(options);
}

/**
 * Checks the options of the table in `base/job_options/`.
 *
 * @throws {InvalidArgumentError} when a value is out of range or of the wrong kind
 */
export function checkJobOptions(options: JobOptionValues): void {
  const error = optionsError(options);
  if (error !== undefined) throw new InvalidArgumentError(error);
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
