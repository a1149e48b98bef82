/** The kinds of rounds of the kill tests, their options and their figures. */
import type { Random } from "../support/random.ts";

/**
 * The processes that a round kills. `starting`: a server in its start. `idle`: the server of a job host that has only short
 * jobs, so that it ends by itself while the next server comes.
 */
export type Victim = "server" | "host" | "both" | "starting" | "idle";

/** All victims, with the number of rounds that the whole test has. */
export const FULL_COUNTS: Readonly<Record<Victim, number>> = {
  server: 200,
  host: 50,
  both: 50,
  starting: 1_000,
  idle: 100,
};

/** The options of a run. */
export interface RunOptions {
  readonly victim: Victim;
  readonly rounds: number;
  readonly random: Random;
  /** True when jobs do not outlive the server: it has no job host. */
  readonly isAlone?: boolean;
  /** Receives a line after some of the rounds. */
  readonly report?: (line: string) => void;
}

/** The figures of a run. */
export interface Figures {
  readonly rounds: number;
  /** Short jobs that were seen to their end. */
  readonly ended: number;
  /** Calls that were repeated because they had no answer. */
  readonly repeated: number;
  /** Calls of followers that were cut. */
  readonly outages: number;
  /** The lines of long jobs that followers have seen, each once and in order. */
  readonly lines: number;
  readonly lost: number;
}
