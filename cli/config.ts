/** Which server, as whom: from the flags, then the environment, then defaults. */
import type { Connection, Credentials, Io } from "./io.ts";
import { checkVariable } from "../text/decoded.ts";
import { defaultCertificateDirectory } from "../trust/default_directory.ts";
import { checkSecret, checkWriters } from "../trust/file_access.ts";
import { explainReadError } from "./file_error.ts";
import { UsageError } from "../units/usage_error.ts";

/** The environment variables this command line reads, and no other. */
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

/** The flags that every command takes for it. */
export interface ConfigFlags {
  readonly address?: string;
  readonly certs?: string;
  readonly identity?: string;
}

/** Which server, as whom. */
export interface Config {
  /** HOST:PORT. */
  readonly address: string;
  /** The directory with `ca.crt`, and `NAME.crt` and `NAME.key` of each identity. */
  readonly certsDir: string;
  /** The name of the files of the identity. */
  readonly identity: string;
}

const DEFAULT_ADDRESS = "127.0.0.1:50051";
const DEFAULT_IDENTITY = "admin";

/** A certificate or key that connecting takes cannot be read or used. */
export class CertificateFilesError extends Error {
  override readonly name = "CredentialsError";
  /** Which of them cannot be used. Absent when the message names the file. */
  readonly part: keyof Credentials | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly part?: keyof Credentials }) {
    super(message, options);
    this.part = options?.part;
  }
}

/**
 * Settles address, certificate directory and identity. A variable that is set but empty counts as not set.
 *
 * @throws {UsageError} when one of them cannot be meant
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
  // An empty one, as of a script's unset variable, would be the root of the file system.
  if (path === "" || path.includes("\0")) throw new UsageError(`Invalid directory "${path}" for --certs: give a path`);
  return path;
}

function checkedIdentity(identity: string): string {
  // It becomes part of a path: a name with a slash would read keys from elsewhere.
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

/**
 * Reads the client certificate of the identity, in PEM.
 *
 * @throws {CertificateFilesError} when it cannot be read
 */
export function readCertificate(config: Config): Promise<string> {
  return readPem(config, `${config.identity}.crt`);
}

/**
 * Reads what a connection takes.
 *
 * @throws {CertificateFilesError} when a file cannot be read
 */
export async function readCredentials(config: Config): Promise<Credentials> {
  // One after the other, so that of several that are missing always the same one is named.
  const ca = await readPem(config, "ca.crt");
  const cert = await readCertificate(config);
  const key = await readPem(config, `${config.identity}.key`);
  checkAccess(config);
  return { ca, cert, key };
}

/**
 * Opens a connection to the server, as the identity.
 *
 * @throws {CertificateFilesError} when a file cannot be read or used; the message names it
 */
export async function connectAs(io: Pick<Io, "connect">, config: Config): Promise<Connection> {
  const credentials = await readCredentials(config);
  return await io.connect({ address: config.address, credentials }).catch((error) => {
    if (!(error instanceof CertificateFilesError) || error.part === undefined) throw error;
    const path = `${config.certsDir}/${fileNames(config)[error.part]}`;
    throw new CertificateFilesError(`Cannot use "${path}": ${error.message}`, { cause: error });
  });
}

function fileNames({ identity }: Config): Readonly<Record<keyof Credentials, string>> {
  return { ca: "ca.crt", cert: `${identity}.crt`, key: `${identity}.key` };
}

/**
 * Reads the certificates of the authorities, in PEM.
 *
 * @throws {CertificateFilesError} when they cannot be read
 */
export function readAuthorities(config: Config): Promise<string> {
  return readPem(config, "ca.crt");
}

/** What others could have written may not be meant; a key that others can read is not one's own, as with ssh(1). */
function checkAccess({ certsDir, identity }: Config): void {
  try {
    for (const name of ["ca.crt", `${identity}.crt`, `${identity}.key`]) checkWriters(`${certsDir}/${name}`);
    checkSecret(`${certsDir}/${identity}.key`, { isBehindDirectories: true });
  } catch (cause) {
    // Or an error of the system, such as a current directory whose name is not UTF-8.
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CertificateFilesError(`Cannot use these certificates: ${why}`, { cause });
  }
}

async function readPem(config: Config, name: string): Promise<string> {
  const path = `${config.certsDir}/${name}`;
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new CertificateFilesError(
      `Cannot read "${path}": ${await explainReadError(
        path,
        cause,
      )}: give the directory with --certs and the name with --identity, ` +
        `or make a client certificate with certs.ts`,
      { cause },
    );
  }
}
