/** Durations as people type and read them: `500ms`, `10s`, `1h30m`. */
import { UsageError } from "./usage_error.ts";

const PATTERN = /^(?:(\d{1,10})d)?(?:(\d{1,10})h)?(?:(\d{1,10})m)?(?:(\d{1,10})s)?(?:(\d{1,10})ms)?$/;
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000, 1];

/**
 * Reads a duration: whole numbers, each with its unit `d`, `h`, `m`, `s` or `ms`, in this order and each at most once.
 *
 * @param text what was typed
 * @param options.name the option it was typed for, such as `--timeout`, for the error's sentence
 * @param options.minMs the least that makes sense, in milliseconds
 * @param options.maxMs the most that is taken, in milliseconds
 * @returns milliseconds
 * @throws {UsageError} when it is none, has no unit, or is out of bounds
 */
export function parseDurationMs(text: string, options: { name: string; minMs: number; maxMs: number }): number {
  const parts = PATTERN.exec(text);
  if (text === "" || parts === null) {
    const wanted = /^\d+(\.\d+)?$/.test(text) ? `a unit is missing, such as "${text}s"` : `give one such as "1h30m"`;
    throw new UsageError(
      `Invalid duration "${text}" for ${options.name}: ${wanted} (units are d, h, m, s and ms, numbers are whole)`,
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
 * Writes a duration with the units that {@linkcode parseDurationMs} reads, but for days: `24h` is a time, a day may be 23.
 *
 * @param durationMs milliseconds
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
