/** The interface of a torture. */
import type { Random } from "../support/random.ts";
import type { Stage } from "./stage.ts";

/** The amount of a torture. */
export interface Dose {
  /** The seed of all random numbers, so that a failure can be repeated. */
  readonly seed: number;
  /** True for the short form of the tests, which takes seconds. */
  readonly short: boolean;
  /** The number of inputs, such as connections. Absent for the usual number. */
  readonly amount?: number;
}

/** One kind of torture. The stage checks that the server and other clients did not suffer. */
export interface Torture {
  /** The name for `--only`. */
  readonly name: string;
  /** A description in one sentence. */
  readonly about: string;
  /**
   * Runs the torture.
   *
   * @returns the work done, such as `20000 connections`
   * @throws {Error} when the server did something that it must not do
   */
  run(stage: Stage, random: Random, dose: Dose): Promise<string>;
}
