/** Numbers made of many measurements, and how they are written. */

/** The median. For an even count it is the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const ordered = sorted(values);
  const middle = ordered.length / 2;
  return ((ordered[Math.ceil(middle) - 1] ?? NaN) + (ordered[Math.floor(middle)] ?? NaN)) / 2;
}

/** The quantile: about this share of the values is smaller. */
export function quantile(values: readonly number[], share: number): number {
  return sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Returns all values in the order of measurement, which shows how they scatter. */
export function list(values: readonly number[], digits = 0): string {
  return values.map((value) => value.toFixed(digits)).join(" ");
}

/** Bytes as megabytes (10^6). */
export function mb(bytes: number): number {
  return bytes / 1e6;
}
