/** Finds the context of a command: the flag, then the environment, then the current one of the file. */
import { defined } from "../../base/defined.ts";
import { checkVariable } from "../../text/decoded.ts";
import { configDirectory } from "../../trust/default_directory.ts";
import type { Environment, SelectedContext } from "../config.ts";
import type { ContextValues } from "./config_file.ts";
import { SettingsError } from "./settings_error.ts";

/** Returns the configuration directory. Undefined when no variable decides. */
export function configDirectoryOf(env: Environment): string | undefined {
  return configDirectory((name) => checkVariable(name, env[name]));
}

/**
 * Returns the configuration directory of a command that needs it.
 *
 * @throws {SettingsError} when no variable decides
 */
export function requiredConfigDirectory(env: Environment): string {
  const dir = configDirectoryOf(env);
  if (dir === undefined) throw new SettingsError("Cannot find the file of contexts: set HOME or XDG_CONFIG_HOME");
  return dir;
}

/**
 * Returns the context of a command. Undefined when there is none.
 *
 * @param flag the value of `--context`
 * @throws {SettingsError} when the context does not exist, or the file cannot be used
 */
export async function selectContext(flag: string | undefined, env: Environment): Promise<SelectedContext | undefined> {
  const variable = checkVariable("TELEPORT_CONTEXT", env.TELEPORT_CONTEXT) || undefined;
  const wanted = flag ?? variable;
  if (wanted === undefined && !await mayHaveFile(configDirectoryOf(env))) return undefined;
  const dir = requiredConfigDirectory(env);
  // Only here, because start-up time counts and most users have no such file.
  const { readConfigFile } = await import("./config_file.ts");
  const { current, contexts } = await readConfigFile(dir);
  const name = wanted ?? current;
  if (name === undefined) return undefined;
  const source = flag !== undefined ? "--context" : variable !== undefined ? "TELEPORT_CONTEXT" : "config.toml";
  const values = contexts.get(name);
  if (values === undefined) throw unknownContext(name, [...contexts.keys()], source);
  const certsDir = contextDirectory(dir, values);
  return { name, source, ...defined({ address: values.address, certsDir, identity: values.identity }) };
}

/** Returns the certificate directory of a context as an absolute path. */
export function contextDirectory(dir: string, { certs }: ContextValues): string | undefined {
  return certs === undefined || certs.startsWith("/") ? certs : `${dir}/${certs}`;
}

/** Returns the error of a name that no context has. */
export function unknownContext(name: string, known: readonly string[], source?: string): SettingsError {
  const names = known.slice(0, 20).map((one) => JSON.stringify(one)).join(", ");
  const advice = known.length === 0
    ? 'make one with "teleport login" or "teleport context add"'
    : `give one of ${names}`;
  const from = source === undefined ? "" : ` from ${source}`;
  return new SettingsError(`Unknown context ${JSON.stringify(name)}${from}: ${advice}`);
}

/** Returns false when the file does not exist, or this user cannot look for it. */
async function mayHaveFile(dir: string | undefined): Promise<boolean> {
  if (dir === undefined) return false;
  return await Deno.lstat(`${dir}/config.toml`).then(() => true, () => false);
}
