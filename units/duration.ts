/** Durations in text form, such as `500ms`, `10s` or `1h30m`. */
import { UsageError } from "./usage_error.ts";

const PATTERN = /^(?:(\d{1,10})d)?(?:(\d{1,10})h)?(?:(\d{1,10})m)?(?:(\d{1,10})s)?(?:(\d{1,10})ms)?$/;
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000, 1];

/**
 * Parses a duration: integers with the units `d`, `h`, `m`, `s` and `ms`, in this order, each at most once.
 *
 * @param options.name the name of the option for the error text, such as `--timeout`
 * @param options.minMs the shortest duration, in milliseconds
 * @param options.maxMs the longest duration, in milliseconds
 * @returns the duration in milliseconds
 * @throws {UsageError} when the text is not a duration, has no unit, or is out of bounds
 *
 * @example
 * ```ts
 * parseDurationMs("1h30m", { name: "--timeout", minMs: 1, maxMs: 86_400_000 }); // 5_400_000
 * ```
 */
export function parseDurationMs(text: string, options: { name: string; minMs: number; maxMs: number }): number {
  const parts = PATTERN.exec(text);
  if (text === "" || parts === null) {
    const wanted = /^\d+(\.\d+)?$/.test(text) ? `a unit is missing, such as "${text}s"` : `give one such as "1h30m"`;
    throw new UsageError(
      `Invalid duration "${text}" for ${options.name}: ${wanted} (integers with the units d, h, m, s and ms)`,
    );
  }
  const totalMs = UNITS_MS.reduce((sum, unitMs, index) => sum + Number(parts[index + 1] ?? 0) * unitMs, 0);
  if (totalMs < options.minMs || totalMs > options.maxMs) {
    throw new UsageError(
      `Duration "${text}" for ${options.name} is out of bounds: ` +
        `give ${formatDuration(options.minMs)} to ${formatDuration(options.maxMs)}`,
    );
  }
  return totalMs;
}

/**
 * Formats a duration with the units of {@linkcode parseDurationMs}. It never uses days, because a day can have 23 hours.
 *
 * @param durationMs the duration in milliseconds
 */
export function formatDuration(durationMs: number): string {
  let restMs = durationMs;
  let text = "";
  for (const [index, unit] of ["h", "m", "s", "ms"].entries()) {
    const unitMs = UNITS_MS[index + 1]!;
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) text += `${count}${unit}`;
  }
  return text === "" ? "0s" : text;
}
