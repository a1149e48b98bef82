/** The options of the stage of a demo, and what it gives. */

/** A program that runs in the background. */
export interface Background {
  /** Waits for its end, and fails if it has another exit code. */
  ended(code: number): Promise<void>;
}

/** The options that differ between demos. */
export interface StageOptions {
  /** Further options of the server. */
  readonly serverArgs?: (dir: string) => Promise<readonly string[]>;
}

/** The part of a job's status that demos read. */
export interface StageStatus {
  readonly id: string;
  readonly state: string;
  readonly pid?: number;
  readonly error?: string;
  readonly placement?: { readonly node?: string; readonly handle?: string };
}
