/** The process of `teleportd` as data: version and environment. The door passes it in. */

/** The environment variables that the server reads. */
export const ENVIRONMENT_NAMES = [
  "TELEPORT_CERTS",
  "XDG_CONFIG_HOME",
  "XDG_STATE_HOME",
  "HOME",
  "PATH",
  "LANG",
  "OTEL_DENO",
  "OTEL_METRIC_EXPORT_INTERVAL",
] as const;

/** Environment variables by name. A variable whose name or value is not UTF-8 has its bytes as value. */
export type Environment = Readonly<Record<string, string | Uint8Array>>;

/** The start of a job host from this process. */
export interface JobHostStart {
  /** The command line of this program without arguments. */
  readonly command: readonly string[];
  /** The digest of what jobs inherit: `inheritedDigest()`. */
  readonly inherited: string;
}

/** The version and the environment of a server. */
export interface ServerEnvironment {
  /** The version of this program. */
  readonly version: string;
  /** The variables that the server itself reads. */
  readonly env: { readonly [name in typeof ENVIRONMENT_NAMES[number]]?: string | undefined };
  /** The descriptor of a listening socket that the service manager has passed. Absent: the server opens one. */
  readonly inheritedSocket?: number;
  /** Starts job hosts. Absent: jobs run in the process of the server. */
  readonly jobHost?: JobHostStart;
  /** Returns all variables, because `--inherit-env` can pass them to jobs. */
  readonly environment: () => Environment;
}
