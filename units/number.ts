/** Numbers of job options in text form. */
import type { Notation } from "../base/job_options/descriptor.ts";
import { formatBound, formatDuration } from "../base/number_text.ts";
import { parseDurationMs } from "./duration.ts";
import { readSizeBytes, sizeExamples } from "./size.ts";
import { UsageError } from "./usage_error.ts";

/** The bounds and the notation of a number. */
export interface NumberFormat {
  readonly notation: Notation;
  readonly min: number;
  readonly max: number;
  /** Whether a `count` may have leading zeros, as in 007. Default: no. */
  readonly allowsLeadingZeros?: boolean;
}

/**
 * Parses a number.
 *
 * @param name the name of the option for the error text, such as `--umask`
 * @throws {UsageError} when the text is not in the notation, or the number is out of bounds
 *
 * @example
 * ```ts
 * parseNumber("022", "--umask", { notation: "octal", min: 0, max: 0o777 }); // 18
 * ```
 */
export function parseNumber(text: string, name: string, format: NumberFormat): number {
  const value = read(text, name, format);
  if (value >= format.min && value <= format.max) return value;
  throw new UsageError(`Invalid value "${text}" for ${name}: give ${wanted(format)}`);
}

/** Creates the parser of an option with a number. */
export function numberParser(name: string, format: NumberFormat): (text: string) => number {
  return (text) => parseNumber(text, name, format);
}

/** The longest time in seconds: a year. */
const MAX_SECONDS = 31_536_000;

/** The texts of a refusal: what to give, and an example of the notation. */
const WANTED: Readonly<Record<Exclude<Notation, "size">, { readonly what: string; readonly example?: string }>> = {
  duration: { what: "a duration" },
  count: { what: "an integer" },
  octal: { what: "octal digits" },
  decimal: { what: "a number", example: "such as 1.5" },
  seconds: { what: "seconds or a duration", example: 'such as 90 or "1m30s"' },
};

/** Describes the accepted values. A greatest value that only the type of the number sets has no meaning for people. */
function wanted({ notation, min, max }: NumberFormat): string {
  const upTo = max === Number.MAX_SAFE_INTEGER ? "" : ` to ${formatBound(max, notation)}`;
  const range = `from ${formatBound(min, notation)}${upTo}`;
  const { what, example = "" } = notation === "size"
    ? { what: "a size", example: sizeExamples(min, max) }
    : WANTED[notation];
  return `${what} ${range}${example === "" ? "" : `, ${example}`}`;
}

/** Parses a number without checking its bounds. Returns NaN for a text that is not in the notation. */
function read(text: string, name: string, format: NumberFormat): number {
  const { notation, min, max, allowsLeadingZeros = false } = format;
  switch (notation) {
    case "count":
      if (allowsLeadingZeros && /^\d{1,15}$/.test(text)) return Number(text);
      return /^(0|-?[1-9]\d{0,15})$/.test(text) ? Number(text) : NaN;
    case "octal":
      return /^[0-7]{1,4}$/.test(text) ? parseInt(text, 8) : NaN;
    case "decimal":
      return /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
    case "seconds":
      if (/^\d{1,15}$/.test(text)) return Number(text);
      return Math.ceil(parseDurationMs(text, { name, minMs: min * 1_000, maxMs: MAX_SECONDS * 1_000 }) / 1_000);
    case "duration":
      return parseDurationMs(text, { name, minMs: min, maxMs: max });
    case "size":
      return text === "0" ? 0 : readSizeBytes(text) || NaN;
  }
}

/** Formats a number in its notation. */
export function formatNumber(value: number, notation: Notation): string {
  if (notation === "duration") return formatDuration(value);
  return notation === "octal" ? value.toString(8) : `${value}`;
}
