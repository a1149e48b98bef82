/** What every kind of torture has in common: how it is described, and what it is given. */
import type { Random } from "../support/random.ts";
import type { Stage } from "./stage.ts";

/** How much of it. */
export interface Dose {
  /** Everything random comes from here, so that a failure can be repeated. */
  readonly seed: number;
  /** True in the tests, where it takes seconds. */
  readonly short: boolean;
  /** How many inputs, such as connections, where another number than the usual is wanted. */
  readonly amount?: number;
}

/** One kind of torture of a server. The stage checks that the server and other clients did not suffer. */
export interface Torture {
  /** For `--only`. */
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /**
   * Does it.
   *
   * @returns what was done, such as `20000 connections`
   * @throws when the server did something it must not
   */
  run(stage: Stage, random: Random, dose: Dose): Promise<string>;
}
