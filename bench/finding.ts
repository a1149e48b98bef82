/** The result of one measurement: one line of the results. */

/** A measurement and its budget. */
export interface Finding {
  readonly what: string;
  /** Empty for a number that has no limit and only informs. */
  readonly budget: string;
  readonly measured: string;
  /** True when the budget is met. Absent without a measurement or a budget. */
  readonly met?: boolean;
  /** The single numbers, or the reason why the measurement is missing. Each is a sentence. */
  readonly notes: readonly string[];
}

/** A measurement that is still to be made. */
export interface Budget {
  readonly what: string;
  readonly budget: string;
}

/** Returns PASS or MISS; SKIP without a measurement; an empty text without a budget. */
export function verdict({ budget, met, measured }: Finding): string {
  if (met !== undefined) return met ? "PASS" : "MISS";
  return budget === "" && measured !== "" ? "" : "SKIP";
}

/** Returns the result of a measurement that could not be made, with the reason. */
export function skipped(budget: Budget, why: string): Finding {
  return { ...budget, measured: "", notes: [`Skipped: ${why}`] };
}
