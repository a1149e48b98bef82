/**
 * An engine places jobs on other machines, such as Slurm. It answers where a job is, and is never believed about a
 * process: only the job host that runs the job knows that.
 */
import { HostUnavailableError, NotEnforceableError } from "../errors.ts";

/** The needs of a job of the machine on which it runs. */
export interface Needs {
  /** Processors. */
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** The longest run, in milliseconds. */
  readonly runMs?: number;
  /** The group of machines, by the engine's name for it. */
  readonly partition?: string;
  /** The features that the machine must have, in the engine's own words. */
  readonly constraint?: string;
  readonly account?: string;
}

/** A submission. */
export interface EngineRef {
  /** Our random name of the job, which no other job ever gets. */
  readonly id: string;
  /** The engine's own number, for people. An engine may give a number twice. */
  readonly handle?: string;
}

/** How a submission is cancelled: `TERM` signals the job host, `KILL` ends everything at once, also in the queue. */
export type CancelSignal = "TERM" | "KILL";

/** The words of an engine about a submission. */
export interface EngineWord extends EngineRef {
  /** `QUEUED`: not on a machine. `PLACED`: on one. `ENDED`: over. `NODE_LOST`: given up, and the process may still run. */
  readonly phase: "QUEUED" | "PLACED" | "ENDED" | "NODE_LOST";
  /** The engine's own words, such as `PENDING (Resources)`. */
  readonly text: string;
  readonly node?: string;
  /** The file with the standard error of a job host that has failed, and its end: `PATH: TEXT`. Absent if not known. */
  readonly stderr?: string;
  /** For `NODE_LOST`: the machine answers the engine again. */
  readonly nodeAnswers?: boolean;
}

/** A job whose host has begun on a machine. */
export interface BegunJob {
  readonly id: string;
  readonly node: string;
}

/**
 * The four questions. A question that fails throws {@linkcode EngineUnavailableError}, which never means that a job is
 * gone.
 */
export interface Engine {
  /** Such as `slurm`. */
  readonly name: string;
  /**
   * Submits a job.
   *
   * @param id our random name of the job, 32 hexadecimal digits
   * @param token the complete shell script that starts the job host
   * @returns the engine's number
   * @throws {EngineRefusedError} when the engine has certainly not taken it
   * @throws {EngineUnavailableError} when nobody knows whether it has
   */
  submit(id: string, token: string, needs: Needs): Promise<string>;
  /** Finds the submissions with a name: none, one or several. */
  find(id: string): Promise<readonly EngineRef[]>;
  /** Cancels a submission, or all with its name where the number is not known. No effect on one that has ended. */
  cancel(ref: EngineRef, signal: CancelSignal): Promise<void>;
  /**
   * Returns what the engine says about all our submissions.
   *
   * @param begun jobs whose host has begun and is not connected. One that the engine has forgotten is `NODE_LOST`: the engine
   * may have given up its machine long ago
   */
  words(begun?: readonly BegunJob[]): Promise<readonly EngineWord[]>;
}

/** The engine has certainly not taken a job, for example because no machine has what the job needs. */
export class EngineRefusedError extends NotEnforceableError {}

/** The engine gave no answer, or one that leaves open what it did. */
export class EngineUnavailableError extends HostUnavailableError {}
