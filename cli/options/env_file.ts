/** The files of `--env-file`: variables of a job, in the format of docker. */
import { errorMessage } from "../../base/error_message.ts";
import { UsageError } from "../../units/usage_error.ts";
import { startProgram } from "../local_program.ts";

/** The most bytes of a file: the most that the variables of a job may have. */
const MAX_BYTES = 1_048_576;

/** The most variables of a file, as of a job. */
const MAX_VARIABLES = 8_192;

/** A line of a file: a variable, whose value may be that of this process. */
interface Line {
  readonly name: string;
  /** Undefined: the value in the environment of this process, if the variable is set there. */
  readonly value: string | undefined;
  /** The number of the line, from 1. */
  readonly number: number;
}

/** Returns the values of variables in the environment of this process, without variables that are not set. */
export type LookUp = (names: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/**
 * Reads variables from files. A later one wins.
 *
 * @throws {UsageError} when a file cannot be read, or has a wrong line, which the error names by its number
 */
export async function readEnvFiles(
  paths: readonly string[],
  lookUp: LookUp = lookUpVariables,
): Promise<Record<string, string>> {
  // No prototype, so that a variable can have the name `__proto__`.
  const variables: Record<string, string> = Object.create(null);
  for (const path of paths) {
    const lines = parseEnvFile(await readFile(path), path);
    const inherited = lines.filter(({ value }) => value === undefined);
    const own = inherited.length === 0 ? new Map<string, string>() : await lookUp(inherited.map(({ name }) => name));
    for (const { name, value = own.get(name), number } of lines) {
      if (value === undefined) continue;
      if (value.includes("\ufffd")) throw invalid(path, number, `the value of "${name}" must be UTF-8`);
      variables[name] = value;
    }
  }
  return variables;
}

async function readFile(path: string): Promise<Uint8Array> {
  try {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(MAX_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const count = await file.read(buffer.subarray(length));
      if (count === null) return buffer.subarray(0, length);
      length += count;
    }
  } catch (error) {
    const reason = errorMessage(error).replace(/: open .*$/, "");
    throw new UsageError(`Cannot read the file "${path}" of --env-file: ${reason}`);
  }
  throw new UsageError(`The file "${path}" of --env-file must have at most ${MAX_BYTES} bytes`);
}

/**
 * Parses a file: NAME=VALUE, NAME alone, empty lines, and comments that begin with #. A value is taken as it is, with its
 * quotes and spaces.
 *
 * @throws {UsageError} with the number of the line
 */
export function parseEnvFile(bytes: Uint8Array, path: string): Line[] {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const lines: Line[] = [];
  let number = 0;
  for (let at = 0; at < bytes.length;) {
    number += 1;
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline;
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(at, end)).replace(/\r$/, "").trimStart();
    } catch {
      throw invalid(path, number, "it must be UTF-8");
    }
    at = end + 1;
    if (text === "" || text.startsWith("#")) continue;
    if (text.includes("\0")) throw invalid(path, number, "it must not contain a NUL");
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (name === "") throw invalid(path, number, "a variable needs a name before =");
    if (/\s/.test(name)) throw invalid(path, number, `the name "${name}" must not contain spaces`);
    lines.push({ name, value: equals < 0 ? undefined : text.slice(equals + 1), number });
    if (lines.length > MAX_VARIABLES) {
      throw invalid(path, number, `a file must have at most ${MAX_VARIABLES} variables`);
    }
  }
  return lines;
}

function invalid(path: string, number: number, reason: string): UsageError {
  return new UsageError(`Invalid line ${number} of the file "${path}" of --env-file: ${reason}`);
}

/** Prints each variable that is set, and NUL, or NUL alone. The environment cannot be read here: see `deno.json`. */
const PRINT_VARIABLES = `for name do if printenv "$name"; then printf '\\1'; fi; printf '\\0'; done`;

/** Looks up variables in the environment of this process, by a program that inherits it. */
export async function lookUpVariables(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  // Another name could be an option of printenv(1), and sh(1) passes on no such variable.
  const usual = names.filter((name) => /^[A-Za-z_]\w*$/.test(name));
  const program = startProgram("sh", ["-c", PRINT_VARIABLES, "sh", ...usual]);
  await program.endInput();
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let count = await program.stdout.read(buffer); count !== null; count = await program.stdout.read(buffer)) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  while (await program.stderr.read(buffer) !== null);
  await program.ended;
  const values = text.split("\0");
  // printenv(1) ends a value with a newline.
  return new Map(
    usual.flatMap((name, at) => values[at]?.endsWith("\n\u0001") ? [[name, values[at].slice(0, -2)]] : []),
  );
}
