/** The limits of a command, checked when a job is registered. */
import { optionsError } from "../../base/job_options/check.ts";
import type { ExecutionOptions, JobOptionValues } from "../../base/job_options/table.ts";
import { quote } from "../../base/quote.ts";
import { InvalidArgumentError } from "../errors.ts";
import { checkTerminalSize, type TerminalSize } from "../terminal/size.ts";

/** The longest argument or variable in Linux, without its NUL: MAX_ARG_STRLEN is 32 pages; execve(2). */
const MAX_STRING_BYTES = 131_071;

/** The longest variable: in the launcher, variables have longer names. */
const MAX_VARIABLE_BYTES = MAX_STRING_BYTES - 256;

/** Half of the default limit on arguments and environment together, which is a quarter of an 8 MiB stack. */
const MAX_TOTAL_BYTES = 1_048_576;

/** Each string also needs a pointer of 8 bytes in the same area. With the bytes above, this is well below its 2 MiB. */
const MAX_STRINGS = 65_536;

/** The longest path, without its NUL: PATH_MAX is 4,096. */
const MAX_PATH_BYTES = 4_095;

/** Options of a command. */
export interface CommandOptions extends ExecutionOptions {
  /** Variables to add to the default environment, or to replace in it. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory; an absolute path. Default: `/`. */
  readonly cwd?: string;
  /**
   * Runs it on a pseudo terminal of this size, which is also its input. All its output is on standard output then. Its
   * environment gets `TERM=xterm-256color`, unless `env` has another one.
   */
  readonly terminal?: TerminalSize;
  /** True to keep all its programs from gaining privileges, as set-user-id programs do; prctl(2). */
  readonly noNewPrivileges?: boolean;
}

/** The default environment. It contains nothing of the server's own environment. */
export const DEFAULT_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/",
  LANG: "C.UTF-8",
};

/** The environment of every job on a terminal, in addition. Nearly every terminal of today understands it. */
export const TERMINAL_ENV: Readonly<Record<string, string>> = { TERM: "xterm-256color" };

/** The default working directory: the only one that always exists. */
export const DEFAULT_CWD = "/";

/** The default time between SIGTERM and SIGKILL at a stop, in milliseconds: the same as Docker's. */
export const DEFAULT_GRACE_MS = 10_000;

const encoder = new TextEncoder();

/**
 * Checks whether Linux can run a command.
 *
 * @throws {InvalidArgumentError} when the command is empty, a string is too long or contains a NUL byte, or a name or an
 * option is invalid
 */
export function checkCommand(command: string, args: readonly string[], options: CommandOptions): void {
  if (command === "") throw new InvalidArgumentError("'command' must not be empty: name a program to run");
  mustBe("arguments", Array.isArray(args), "a list of strings", args);
  const strings = args.length + Object.keys(options.env ?? {}).length;
  if (strings > MAX_STRINGS) {
    throw new InvalidArgumentError(
      `A job must have at most ${MAX_STRINGS} arguments and environment variables, got ${strings}`,
    );
  }
  let total = checkString("Command", command, MAX_PATH_BYTES);
  args.forEach((arg, index) => total += checkString(`Argument ${index + 1}`, arg, MAX_STRING_BYTES));
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (name === "" || name.includes("=")) {
      throw new InvalidArgumentError(
        `The name of an environment variable must not be empty or contain "=", got ${quote(name)}`,
      );
    }
    if (typeof value !== "string") mustBe(`Environment variable ${quote(name)}`, false, "a string", value);
    total += checkString("Environment variable", `${name}=${value}`, MAX_VARIABLE_BYTES);
  }
  if (total > MAX_TOTAL_BYTES) {
    throw new InvalidArgumentError(
      `Command, arguments and environment must have at most ${MAX_TOTAL_BYTES} bytes, got ${total}: ` +
        "pass large data in a file",
    );
  }
  if (options.cwd !== undefined) checkCwd(options.cwd);
  if (options.terminal !== undefined) checkTerminalSize(options.terminal);
  checkJobOptions(options);
}

/**
 * Checks the options of the table in `base/job_options/`.
 *
 * @throws {InvalidArgumentError} when a value is out of range or has the wrong type
 */
export function checkJobOptions(options: JobOptionValues): void {
  const error = optionsError(options);
  if (error !== undefined) throw new InvalidArgumentError(error);
}

function checkCwd(cwd: string): void {
  checkString("Working directory", cwd, MAX_PATH_BYTES);
  if (!cwd.startsWith("/")) {
    throw new InvalidArgumentError(`'cwd' must be an absolute path, got ${quote(cwd)}`);
  }
}

/** Throws unless a value has the right type: a JavaScript program may pass any value, and would fail later. */
function mustBe(what: string, isRight: boolean, kind: string, value: unknown): void {
  if (isRight) return;
  throw new InvalidArgumentError(
    `Invalid type: ${what} must be ${kind}, got ${value === null ? "null" : typeof value}`,
  );
}

/** Checks a string. Returns its size in the kernel's argument area, its NUL included. */
function checkString(what: string, value: string, maxBytes: number): number {
  mustBe(what, typeof value === "string", "a string", value);
  if (value.includes("\0")) {
    throw new InvalidArgumentError(
      `${what} ${quote(value)} contains a NUL byte: remove it, no argument can contain one`,
    );
  }
  checkText(what, value);
  // A UTF-16 unit takes at most three bytes, so a short string fits without encoding it.
  const bytes = value.length * 3 < 512 && /^[\x20-\x7e]*$/.test(value) ? value.length : encoder.encode(value).length;
  if (bytes > maxBytes) {
    throw new InvalidArgumentError(`${what} ${quote(value)} must have at most ${maxBytes} bytes, got ${bytes}`);
  }
  return bytes + 1;
}

/**
 * Checks that a string is valid Unicode. Half of a surrogate pair has no form in UTF-8, so the program would get another
 * character.
 *
 * @throws {InvalidArgumentError} when it is not; the message has the value
 */
export function checkText(what: string, value: string): void {
  if (value.isWellFormed()) return;
  throw new InvalidArgumentError(`${what} ${quote(value)} is not valid Unicode: it contains half of a surrogate pair`);
}
