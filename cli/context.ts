/** The context in which a command runs. */
import type { JobWorkerClient } from "../proto/service.ts";
import type { Config, SelectedContext, Settings } from "./config.ts";
import type { Io } from "./io.ts";
import type { Print } from "./print/print.ts";

/** The context of every command. */
export interface LocalContext {
  readonly io: Io;
  readonly print: Print;
  readonly config: Config;
  /** The configuration with the source of each value. */
  readonly settings: Settings;
  /** The server of the file of contexts. Undefined when there is none. */
  readonly server: SelectedContext | undefined;
}

/** The context of a command that calls the server. */
export interface Context extends LocalContext {
  readonly calls: JobWorkerClient;
}

/**
 * The deadline of a call that the server answers at once, in milliseconds. Long enough for a bad network; it keeps scripts
 * from hanging. Calls that wait for a job have no deadline.
 */
export const CALL_DEADLINE_MS = 30_000;
