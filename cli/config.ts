/** The server's address and the client's identity: from flags, then the environment, then the context, then defaults. */
import { checkVariable } from "../text/decoded.ts";
import { defaultCertificateDirectory } from "../trust/default_directory.ts";
import { UsageError } from "../units/usage_error.ts";

/** The environment variables that this command line reads. It reads no other. */
export const ENVIRONMENT_NAMES = [
  "TELEPORT_ADDRESS",
  "TELEPORT_CERTS",
  "TELEPORT_IDENTITY",
  "TELEPORT_CONTEXT",
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

/** The context that a command uses: one server of the file of contexts. */
export interface SelectedContext {
  readonly name: string;
  /** The place of the name: `--context`, `TELEPORT_CONTEXT` or `config.toml`. */
  readonly source: string;
  readonly address?: string;
  /** An absolute path. */
  readonly certsDir?: string;
  readonly identity?: string;
}

/** A value of the configuration, and where it came from. */
export interface Setting {
  readonly value: string;
  /** For people, such as `--address`, `TELEPORT_ADDRESS`, `context "prod"` or `default`. */
  readonly source: string;
}

/** The configuration with the source of each value. */
export type Settings = { readonly [Name in keyof Config]: Setting };

/**
 * Determines the address, the certificate directory and the identity, and the source of each. An empty variable counts
 * as not set.
 *
 * @param context the context of the command. Absent: there is none
 * @throws {UsageError} when one of them is not valid
 * @throws {NotUtf8Error} when a variable that decides is not UTF-8
 */
export function resolveSettings(flags: ConfigFlags, env: Environment, context?: SelectedContext): Settings {
  const from = (
    flag: keyof ConfigFlags,
    name: keyof Environment,
    inContext: string | undefined,
    other: () => Setting,
  ) => {
    const given = flags[flag];
    if (given !== undefined) return { value: given, source: `--${flag}` };
    const value = variable(env, name);
    if (value) return { value, source: name };
    return inContext === undefined ? other() : { value: inContext, source: `context "${context?.name}"` };
  };
  const fixed = (value: string) => () => ({ value, source: "default" });
  return {
    address: checkedAddress(from("address", "TELEPORT_ADDRESS", context?.address, fixed(DEFAULT_ADDRESS))),
    certsDir: checkedDirectory(from("certs", "TELEPORT_CERTS", context?.certsDir, () => defaultDirectory(env))),
    identity: checkedIdentity(from("identity", "TELEPORT_IDENTITY", context?.identity, fixed(DEFAULT_IDENTITY))),
  };
}

/** Determines the values of the configuration, as {@linkcode resolveSettings} does. */
export function resolveConfig(flags: ConfigFlags, env: Environment, context?: SelectedContext): Config {
  return configOf(resolveSettings(flags, env, context));
}

/** Returns the values of settings. */
export function configOf({ address, certsDir, identity }: Settings): Config {
  return { address: address.value, certsDir: certsDir.value, identity: identity.value };
}

/**
 * Returns the address.
 *
 * @throws {UsageError} when it is not HOST:PORT
 */
export function checkAddress(address: string): string {
  return checkedAddress({ value: address, source: "--address" }).value;
}

function variable(env: Environment, name: keyof Environment): string | undefined {
  return checkVariable(name, env[name]);
}

/**
 * Returns the identity.
 *
 * @throws {UsageError} when it cannot be the name of files
 */
export function checkIdentity(identity: string): string {
  return checkedIdentity({ value: identity, source: "--identity" }).value;
}

function checkedAddress(setting: Setting): Setting {
  const { value: address } = setting;
  const parts = /^(?:\[[0-9a-fA-F:.]+(?:%[^\s\]%/]+)?\]|[^\s:/[\]]+):(\d{1,5})$/.exec(address);
  const port = Number(parts?.[1]);
  if (parts === null || port < 1 || port > 65_535) {
    throw new UsageError(
      `Invalid address "${address}"${
        where(setting)
      }: give HOST:PORT, such as "${DEFAULT_ADDRESS}", "localhost:50051" ` +
        'or "[::1]:50051"',
    );
  }
  return setting;
}

function checkedDirectory(setting: Setting): Setting {
  const { value: path } = setting;
  // An empty path, such as from an unset variable of a script, would be the root of the file system.
  if (path === "" || path.includes("\0")) {
    throw new UsageError(`Invalid directory "${path}" for --certs${where(setting)}: give a path`);
  }
  return setting;
}

function checkedIdentity(setting: Setting): Setting {
  const { value: identity } = setting;
  // The name becomes part of a path. With a slash it would read keys from another directory.
  if (!/^[^/\0]{1,200}$/.test(identity) || identity.startsWith(".")) {
    throw new UsageError(
      `Invalid identity "${identity}"${where(setting)}: give the NAME of the files NAME.crt and NAME.key`,
    );
  }
  return setting;
}

/** Says where a wrong value came from. A flag needs no place, because it is in sight. */
function where({ source }: Setting): string {
  return source.startsWith("--") || source === "default" ? "" : ` from ${source}`;
}

function defaultDirectory(env: Environment): Setting {
  const value = defaultCertificateDirectory((name) => variable(env, name));
  if (value !== undefined) return { value, source: "default" };
  throw new UsageError("Cannot find the certificate directory: give --certs DIR, or set TELEPORT_CERTS or HOME");
}
