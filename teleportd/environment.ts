/** The environment that the server was started with, as the bytes that it is: a value need not be UTF-8. */
import { StartError } from "./start_error.ts";
import type { Environment } from "./server_environment.ts";

/** Reads an environment as proc_pid_environ(5) has it. The first of two with one name counts, as for getenv(3). */
export function parseEnvironment(bytes: Uint8Array): Environment {
  const variables = new Map<string, string | Uint8Array>();
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start) < 0 ? bytes.length : bytes.indexOf(0, start);
    const variable = bytes.subarray(start, end);
    start = end + 1;
    const at = variable.indexOf("=".charCodeAt(0));
    if (at <= 0) continue;
    const [name, value] = [textOf(variable.subarray(0, at)), textOf(variable.subarray(at + 1))];
    const key = name ?? shown(variable.subarray(0, at));
    if (!variables.has(key)) variables.set(key, name === undefined ? variable : value ?? variable.subarray(at + 1));
  }
  return Object.fromEntries(variables);
}

/**
 * The variables that the server lends to jobs.
 *
 * @param names of variables; `*` means all
 * @throws {StartError} for one that no job could get as it is
 */
export function lentVariables(environment: Environment, names: readonly string[]): Record<string, string> {
  const wanted = Object.entries(environment).filter(([name]) => names.includes(name) || names.includes("*"));
  return Object.fromEntries(wanted.map(([name, value]) => {
    if (typeof value === "string") return [name, value];
    throw new StartError(
      `Cannot lend variable "${name}" to jobs: "${shown(value)}" is not valid UTF-8: change or unset it`,
    );
  }));
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function shown(bytes: Uint8Array): string {
  return [...bytes].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`
  ).join("");
}
