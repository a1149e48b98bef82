/** Durations in text form, such as `500ms`, `10s` or `1h30m`. */
import { formatDuration } from "../base/number_text.ts";
import { UsageError } from "./usage_error.ts";

const PATTERN = /^(?:(\d{1,10})d)?(?:(\d{1,10})h)?(?:(\d{1,10})m)?(?:(\d{1,10})s)?(?:(\d{1,10})ms)?$/;
const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000, 1];

/** Examples for error texts. The first that the option accepts is shown. */
const EXAMPLES = ["1h30m", "30s", "500ms"];

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
  const { name, minMs, maxMs } = options;
  const isAllowed = (ms: number | undefined) => ms !== undefined && ms >= minMs && ms <= maxMs;
  const totalMs = readMs(text);
  if (totalMs !== undefined && isAllowed(totalMs)) return totalMs;
  const range = `give ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  if (totalMs !== undefined) throw new UsageError(`Duration "${text}" for ${name} is out of bounds: ${range}`);
  const example = EXAMPLES.find((example) => isAllowed(readMs(example)));
  const wanted = /^\d+$/.test(text) && isAllowed(readMs(`${text}s`))
    ? `a unit is missing, such as "${text}s"`
    : `${range}${example === undefined ? "" : `, such as "${example}"`}`;
  throw new UsageError(`Invalid duration "${text}" for ${name}: ${wanted} (integers with the units d, h, m, s and ms)`);
}

/** Returns the duration in milliseconds. Undefined for a text that is not a duration. */
function readMs(text: string): number | undefined {
  const parts = text === "" ? null : PATTERN.exec(text);
  return parts === null
    ? undefined
    : UNITS_MS.reduce((sum, unitMs, index) => sum + Number(parts[index + 1] ?? 0) * unitMs, 0);
}
