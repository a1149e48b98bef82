/** What a measurement found: one line of the results. */

/** A measurement held against its budget. */
export interface Finding {
  readonly what: string;
  /** Empty: no budget, just a number worth knowing. */
  readonly budget: string;
  readonly measured: string;
  /** Absent: nothing was measured, or there is no budget. */
  readonly met?: boolean;
  /** The numbers behind it, or why there is none; a sentence each. */
  readonly notes: readonly string[];
}

/** What is to be measured. */
export interface Budget {
  readonly what: string;
  readonly budget: string;
}

/** PASS, MISS, SKIP where nothing could be measured, or nothing where there is no budget. */
export function verdict({ budget, met, measured }: Finding): string {
  if (met !== undefined) return met ? "PASS" : "MISS";
  return budget === "" && measured !== "" ? "" : "SKIP";
}

/** What could not be measured, and why. */
export function skipped(budget: Budget, why: string): Finding {
  return { ...budget, measured: "", notes: [`Skipped: ${why}`] };
}
