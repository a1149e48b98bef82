/** The file of contexts, `config.toml`: reads it, and replaces it atomically. */
import { stringify } from "smol-toml";
import { defined } from "../../base/defined.ts";
import { errorMessage } from "../../base/error_message.ts";
import { failureReason } from "../../base/errno.ts";
import { JsonFormError, readFields, readObject, readOptional, readString } from "../../text/strict_json.ts";
import { checkWriters } from "../../trust/file_access.ts";
import { isContextName, NAME_FORM } from "./context_name.ts";
import { SettingsError } from "./settings_error.ts";
import { readToml } from "./toml.ts";

/** The values of one context, as the file has them. */
export interface ContextValues {
  /** HOST:PORT. Absent: the default. */
  readonly address?: string;
  /** The certificate directory. A relative path starts at the directory of the file. Absent: the default. */
  readonly certs?: string;
  /** The name of the identity's files. Absent: the default. */
  readonly identity?: string;
}

/** The contents of the file. */
export interface ConfigFile {
  /** The name of the context in use. */
  readonly current?: string;
  readonly contexts: ReadonlyMap<string, ContextValues>;
}

/** The largest file to read, in bytes: thousands of contexts. */
const MAX_BYTES = 1024 * 1024;

const HEADER = `# The servers of "teleport". "teleport context" changes this file, and keeps no other comments.\n`;

/** Returns the path of the file in the configuration directory. */
export function configPath(dir: string): string {
  return `${dir}/config.toml`;
}

/**
 * Reads the file. A file that does not exist has no contexts.
 *
 * @throws {SettingsError} when the file cannot be read or is not valid, or other users can change it
 */
export async function readConfigFile(dir: string): Promise<ConfigFile> {
  const path = configPath(dir);
  let text: string;
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_BYTES) {
      throw new SettingsError(`Cannot use "${path}": it has ${size} bytes, and at most ${MAX_BYTES} are allowed`);
    }
    // A context decides to which server commands go. ssh(1) refuses such a file too.
    checkWriters(path);
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof SettingsError) throw cause;
    if (cause instanceof Deno.errors.NotFound) return { contexts: new Map() };
    const isOfSystem = !(cause instanceof Error) || cause.name !== "FileAccessError";
    throw new SettingsError(
      isOfSystem ? `Cannot read "${path}": ${failureReason(cause)}` : errorMessage(cause),
      { cause },
    );
  }
  return readToml(path, text, configOf);
}

function configOf(values: unknown): ConfigFile {
  const fields = readFields(values, "", { current: false, contexts: false });
  const contexts = new Map<string, ContextValues>();
  const tables = readOptional(fields, "contexts", "", readTable) ?? {};
  for (const [name, table] of Object.entries(tables)) {
    const at = `contexts.${name}`;
    if (!isContextName(name)) throw new JsonFormError(at, `the name is not valid: give ${NAME_FORM}`);
    const given = readFields(readTable(table, at), at, { address: false, certs: false, identity: false });
    contexts.set(
      name,
      defined({
        address: readOptional(given, "address", at, readString),
        certs: readOptional(given, "certs", at, readPath),
        identity: readOptional(given, "identity", at, readString),
      }),
    );
  }
  return { ...defined({ current: readOptional(fields, "current", "", readString) }), contexts };
}

function readTable(value: unknown, at: string): Record<string, unknown> {
  if (value instanceof Date) throw new JsonFormError(at, "give a table");
  try {
    return readObject(value, at);
  } catch {
    throw new JsonFormError(at, "give a table");
  }
}

function readPath(value: unknown, at: string): string {
  const path = readString(value, at);
  if (path === "" || path.includes("\0")) throw new JsonFormError(at, "give the path of a directory");
  return path;
}

/**
 * Changes the file while no other process changes it. Creates the directory, with mode 0700, and the file, with 0600.
 *
 * @param change returns the new contents
 * @throws {SettingsError} when the file cannot be read or written
 */
export async function changeConfigFile(
  dir: string,
  change: (before: ConfigFile) => ConfigFile | Promise<ConfigFile>,
): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    // Locks the directory, because the file is replaced.
    using directory = await Deno.open(dir, { read: true });
    await directory.lock(true);
    await replaceFile(configPath(dir), formatConfig(await change(await readConfigFile(dir))));
  } catch (cause) {
    if (!(cause instanceof Error) || !(cause.name in Deno.errors || "code" in cause)) throw cause;
    throw new SettingsError(`Cannot change "${configPath(dir)}": ${failureReason(cause)}`, { cause });
  }
}

function formatConfig({ current, contexts }: ConfigFile): string {
  const tables = Object.fromEntries([...contexts].sort(([a], [b]) => a < b ? -1 : 1));
  return HEADER + stringify({ ...defined({ current }), contexts: tables });
}

async function replaceFile(path: string, text: string): Promise<void> {
  // The target of a symbolic link is replaced, so that the file can live in another directory.
  const target = await Deno.realPath(path).catch(() => path);
  const temporary = `${target}.${crypto.randomUUID()}`;
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    let rest = new TextEncoder().encode(text);
    while (rest.length > 0) rest = rest.subarray(await file.write(rest));
    // Before the file gets its name, so that a power failure leaves no partial file.
    await file.sync();
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
