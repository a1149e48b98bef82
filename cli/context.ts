/** What a command gets to work with. */
import type { JobWorkerClient } from "../proto/service.ts";
import type { Config } from "./config.ts";
import type { Io } from "./io.ts";
import type { Print } from "./print/print.ts";

/** What every command gets. */
export interface LocalContext {
  readonly io: Io;
  readonly print: Print;
  readonly config: Config;
}

/** What a command that calls the server gets. */
export interface Context extends LocalContext {
  readonly calls: JobWorkerClient;
}

/**
 * How long a call may take that the server answers at once, in milliseconds. Generous, for a laptop on a bad network;
 * it is there so that a script never hangs for ever. Calls that wait for a job have none.
 */
export const CALL_DEADLINE_MS = 30_000;
