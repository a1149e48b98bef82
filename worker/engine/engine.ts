/**
 * An engine places jobs on machines, such as Slurm. It answers four questions, and none about a process: what it says of a
 * job is a hint when to look.
 */
import { HostUnavailableError, NotEnforceableError } from "../errors.ts";

/** What a job needs of its machine. An absent need has the engine's default. */
export interface Needs {
  readonly cpus?: number;
  readonly memoryBytes?: number;
  /** The longest time that the job may take, its stop included, in milliseconds. */
  readonly runMs?: number;
  readonly partition?: string;
  /** The features that the machine must have, in the engine's own form. */
  readonly constraint?: string;
  readonly account?: string;
}

/** A job in an engine. */
export interface EngineRef {
  /** The random name of the job, which is never used twice. */
  readonly id: string;
  /** The engine's own number, which it may give to another job later. */
  readonly handle?: string;
}

/**
 * The phase of a job in an engine.
 *
 * - `QUEUED`: it waits for a machine
 * - `PLACED`: it has a machine
 * - `ENDED`: the engine has ended it
 * - `NODE_LOST`: the engine does not reach its machine. Its processes may live
 */
export type EnginePhase = "QUEUED" | "PLACED" | "ENDED" | "NODE_LOST";

/** What an engine says of a job. */
export interface EngineWord extends EngineRef {
  readonly phase: EnginePhase;
  /** The engine's own words, such as `PENDING (Resources)` or `FAILED (exit code 127)`. */
  readonly text: string;
  /** The machine. Absent while there is none. */
  readonly node?: string;
  /** True when the machine of a job in `NODE_LOST` answers again. */
  readonly nodeAnswers?: boolean;
}

/** How a job is cancelled: `TERM` asks its host to stop it, `KILL` ends the host and all that the engine finds. */
export type CancelSignal = "TERM" | "KILL";

/** An engine. A question that fails throws, and never means that a job is gone. */
export interface Engine {
  /** Such as `slurm`. */
  readonly name: string;
  /**
   * Submits a job.
   *
   * @param id the random name of the job
   * @param token the program of the job, as the text of a shell script
   * @returns the engine's own number
   * @throws {EngineRefusedError} when the engine has not taken the job, and would never take it
   * @throws {EngineUnavailableError} when nobody knows whether it has taken the job
   */
  submit(id: string, token: string, needs: Needs): Promise<string>;
  /** Returns the jobs with a name: none, one, or several that were submitted twice. */
  find(id: string): Promise<readonly EngineRef[]>;
  /** Cancels all jobs with a name and, if it is given, a number. Has no effect on a job that has ended. */
  cancel(ref: EngineRef, signal: CancelSignal): Promise<void>;
  /** Returns what the engine says of all jobs, as far as it remembers them. */
  words(): Promise<readonly EngineWord[]>;
}

/** An engine refuses a job. It was certainly not submitted. */
export class EngineRefusedError extends NotEnforceableError {}

/** An engine does not answer. Nobody knows whether it has done what it was asked for. */
export class EngineUnavailableError extends HostUnavailableError {}
