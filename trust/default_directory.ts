/** The certificate directory that programs use by default. */

/** The environment variables that decide, in order. */
export type DirectoryVariable = "TELEPORT_CERTS" | "XDG_CONFIG_HOME" | "HOME";

/**
 * Finds the user's certificate directory: `TELEPORT_CERTS`, else `teleport` in the configuration directory of the XDG
 * Base Directory Specification. An empty variable counts as not set, and so does a relative `XDG_CONFIG_HOME`.
 *
 * @param variable returns the value of an environment variable
 * @returns the path; undefined when no variable decides
 *
 * @example
 * ```ts
 * defaultCertificateDirectory((name) => ({ HOME: "/home/ann" } as Record<string, string>)[name]);
 * // "/home/ann/.config/teleport"
 * ```
 */
export function defaultCertificateDirectory(
  variable: (name: DirectoryVariable) => string | undefined,
): string | undefined {
  const own = variable("TELEPORT_CERTS");
  if (own) return own;
  return configDirectory(variable);
}

/**
 * Finds the user's configuration directory: `teleport` in the configuration directory of the XDG Base Directory
 * Specification. An empty variable counts as not set, and so does a relative `XDG_CONFIG_HOME`.
 *
 * @param variable returns the value of an environment variable
 * @returns the path; undefined when no variable decides
 */
export function configDirectory(
  variable: (name: "XDG_CONFIG_HOME" | "HOME") => string | undefined,
): string | undefined {
  const configHome = variable("XDG_CONFIG_HOME");
  if (configHome?.startsWith("/")) return `${configHome}/teleport`;
  const home = variable("HOME");
  return home ? `${home}/.config/teleport` : undefined;
}
