/** Texts of durations, sizes and other numbers, in the way in which people write them. */
import type { Notation } from "./job_options/descriptor.ts";

/** The units of durations, in milliseconds. Without days, because a day can have 23 hours. */
const DURATION_UNITS: readonly (readonly [string, number])[] = [["h", 3_600_000], ["m", 60_000], ["s", 1_000], [
  "ms",
  1,
]];

/** The units of sizes, in bytes. */
const SIZE_UNITS: readonly (readonly [string, number])[] = [
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["TB", 1e12],
  ["GB", 1e9],
  ["MB", 1e6],
  ["kB", 1e3],
];

/**
 * Formats a duration with the units h, m, s and ms.
 *
 * @param durationMs the duration in milliseconds
 *
 * @example
 * ```ts
 * import { formatDuration } from "./number_text.ts";
 *
 * console.assert(formatDuration(5_400_000) === "1h30m");
 * ```
 */
export function formatDuration(durationMs: number): string {
  let restMs = durationMs;
  let text = "";
  for (const [unit, unitMs] of DURATION_UNITS) {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === "" ? "0s" : text;
}

/**
 * Formats a size exactly, with the unit that gives the shortest number.
 *
 * @example
 * ```ts
 * import { formatSize } from "./number_text.ts";
 *
 * console.assert(formatSize(1_048_576) === "1 MiB" && formatSize(500_000_000) === "500 MB");
 * ```
 */
export function formatSize(bytes: number): string {
  let [count, unit] = [bytes, bytes === 1 ? "byte" : "bytes"];
  for (const [name, unitBytes] of SIZE_UNITS) {
    const units = bytes / unitBytes;
    if (Number.isInteger(units) && units >= 1 && units < count) [count, unit] = [units, name];
  }
  return `${count} ${unit}`;
}

/** Formats a number in its notation, for error texts. */
export function formatBound(value: number, notation: Notation): string {
  switch (notation) {
    case "duration":
      return formatDuration(value);
    case "seconds":
      return formatDuration(value * 1_000);
    case "size":
      return formatSize(value);
    case "octal":
      return value.toString(8);
    case "count":
    case "decimal":
      return `${value}`;
  }
}
