/** The options of a process, and of its stop. */
import type { OutputSink } from "./pump.ts";
import type { SpawnOptions } from "./spawn.ts";
import type { Reason } from "./state.ts";

/** Options of a process. */
export interface ProcessOptions extends SpawnOptions {
  /** The value of the variable TELEPORT_ID in its environment, by which its survivors are found. Default: random. */
  readonly id?: string;
  /** The sink of its output. Absent: the output is discarded. */
  readonly output?: OutputSink;
  /** Receives a `SurvivorsError` when processes could not be ended. */
  readonly onError?: (error: Error) => void;
}

/** How to stop a process. */
export interface StopOptions {
  /** The time between SIGTERM and SIGKILL, in milliseconds. Default: the process's own. */
  readonly graceMs?: number;
  /** Why it is stopped. Default: `STOPPED`. */
  readonly reason?: Reason;
  /** The user who requests the stop. Absent if no user does. */
  readonly by?: string;
}
