/** The environment of the server's process. It is read as bytes, because a value need not be UTF-8. */
import type { Environment } from "./server_environment.ts";
import { StartError } from "./start_error.ts";

/** Parses an environment in the form of proc_pid_environ(5). The first of two variables with one name wins: getenv(3). */
export function parseEnvironment(bytes: Uint8Array): Environment {
  const variables = new Map<string, string | Uint8Array>();
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start) < 0 ? bytes.length : bytes.indexOf(0, start);
    const variable = bytes.subarray(start, end);
    start = end + 1;
    const at = variable.indexOf("=".charCodeAt(0));
    if (at <= 0) continue;
    const [name, value] = [decode(variable.subarray(0, at)), decode(variable.subarray(at + 1))];
    const key = name ?? showBytes(variable.subarray(0, at));
    if (!variables.has(key)) variables.set(key, name === undefined ? variable : value ?? variable.subarray(at + 1));
  }
  return Object.fromEntries(variables);
}

/** Variables of the service manager for the server alone. A job with them could report itself as the service. */
export const MANAGER_VARIABLES: ReadonlySet<string> = new Set([
  "CREDENTIALS_DIRECTORY",
  "LISTEN_FDNAMES",
  "LISTEN_FDS",
  "LISTEN_PID",
  "NOTIFY_SOCKET",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
]);

/**
 * Returns the variables that jobs may inherit.
 *
 * @param names the names of variables; `*` stands for all but those of the service manager
 * @throws {StartError} when one of them is not UTF-8, because jobs would get another value
 */
export function inheritableVariables(environment: Environment, names: readonly string[]): Record<string, string> {
  const wanted = Object.entries(environment).filter(([name]) =>
    names.includes(name) || (names.includes("*") && !MANAGER_VARIABLES.has(name))
  );
  return Object.fromEntries(wanted.map(([name, value]) => {
    if (typeof value === "string") return [name, value];
    throw new StartError(
      `Cannot pass the variable "${name}" to jobs: "${showBytes(value)}" is not valid UTF-8; change or unset it`,
    );
  }));
}

/** Returns undefined for bytes that are not UTF-8. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function showBytes(bytes: Uint8Array): string {
  return [...bytes].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`
  ).join("");
}
