/** The server's address and the client's identity: from the flags, then the environment, then defaults. */
import { checkVariable } from "../text/decoded.ts";
import { defaultCertificateDirectory } from "../trust/default_directory.ts";
import { UsageError } from "../units/usage_error.ts";

/** The environment variables that this command line reads. It reads no other. */
export const ENVIRONMENT_NAMES = [
  "TELEPORT_ADDRESS",
  "TELEPORT_CERTS",
  "TELEPORT_IDENTITY",
  "XDG_CONFIG_HOME",
  "HOME",
  "NO_COLOR",
  "TERM",
] as const;

/** The values of {@linkcode ENVIRONMENT_NAMES} that are set. */
export type Environment = { readonly [Name in (typeof ENVIRONMENT_NAMES)[number]]?: string | undefined };

/** The flags of every command that set the configuration. */
export interface ConfigFlags {
  readonly address?: string;
  readonly certs?: string;
  readonly identity?: string;
}

/** The server's address and the client's identity. */
export interface Config {
  /** HOST:PORT. */
  readonly address: string;
  /** The directory with `ca.crt`, and `NAME.crt` and `NAME.key` of each identity. */
  readonly certsDir: string;
  /** The NAME of the identity's files. */
  readonly identity: string;
}

/** The server of a new installation. */
export const DEFAULT_ADDRESS = "127.0.0.1:50051";
/** The user of a new installation. */
export const DEFAULT_IDENTITY = "admin";

/**
 * Determines the address, the certificate directory and the identity. An empty variable counts as not set.
 *
 * @throws {UsageError} when one of them is not valid
 * @throws {NotUtf8Error} when a variable that decides is not UTF-8
 */
export function resolveConfig(flags: ConfigFlags, env: Environment): Config {
  return {
    address: checkedAddress(flags.address ?? (variable(env, "TELEPORT_ADDRESS") || DEFAULT_ADDRESS)),
    certsDir: checkedDirectory(flags.certs ?? defaultDirectory(env)),
    identity: checkedIdentity(flags.identity ?? (variable(env, "TELEPORT_IDENTITY") || DEFAULT_IDENTITY)),
  };
}

function variable(env: Environment, name: keyof Environment): string | undefined {
  return checkVariable(name, env[name]);
}

function checkedAddress(address: string): string {
  const parts = /^(?:\[[0-9a-fA-F:.]+(?:%[^\s\]%/]+)?\]|[^\s:/[\]]+):(\d{1,5})$/.exec(address);
  const port = Number(parts?.[1]);
  if (parts === null || port < 1 || port > 65_535) {
    throw new UsageError(
      `Invalid address "${address}": give HOST:PORT, such as "${DEFAULT_ADDRESS}", "localhost:50051" or "[::1]:50051"`,
    );
  }
  return address;
}

function checkedDirectory(path: string): string {
  // An empty path, such as from an unset variable of a script, would be the root of the file system.
  if (path === "" || path.includes("\0")) throw new UsageError(`Invalid directory "${path}" for --certs: give a path`);
  return path;
}

function checkedIdentity(identity: string): string {
  // The name becomes part of a path. With a slash it would read keys from another directory.
  if (!/^[^/\0]{1,200}$/.test(identity) || identity.startsWith(".")) {
    throw new UsageError(`Invalid identity "${identity}": give the NAME of the files NAME.crt and NAME.key`);
  }
  return identity;
}

function defaultDirectory(env: Environment): string {
  const directory = defaultCertificateDirectory((name) => variable(env, name));
  if (directory !== undefined) return directory;
  throw new UsageError("Cannot find the certificate directory: give --certs DIR, or set TELEPORT_CERTS or HOME");
}
