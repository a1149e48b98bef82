/** What `teleportd` has of the world besides its flags; the door gives the real one. */

/** The variables of the environment that the server asks for. */
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

/** The variables of an environment by name; of one whose name or value is not UTF-8, the bytes. */
export type Environment = Readonly<Record<string, string | Uint8Array>>;

/** What the server has of the world besides its flags. */
export interface ServerEnvironment {
  /** The version of this program. */
  readonly version: string;
  readonly env: { readonly [name in typeof ENVIRONMENT_NAMES[number]]?: string | undefined };
  /** All of the environment, for jobs that may inherit of it. */
  readonly environment: () => Environment;
  /** How many of the standard streams are a terminal now. One whose terminal was closed is none. */
  readonly terminals: () => number;
  /** Writes a line into the server's log. */
  readonly tell: (line: string) => void;
  /** Ends the program at once, for one who will not wait; `failed` when an uncaught exception came before. */
  readonly exit: (failed: boolean) => void;
}

/** An error as the log has it: with its stack, for it is a defect. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
