/** Numbers of job options in text form. */
import type { Notation } from "../base/job_options/descriptor.ts";
import { formatDuration, parseDurationMs } from "./duration.ts";
import { parseSizeBytes } from "./size.ts";
import { UsageError } from "./usage_error.ts";

/** The bounds and the notation of a number. */
export interface NumberFormat {
  readonly notation: Notation;
  readonly min: number;
  readonly max: number;
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
  const { notation, min, max } = format;
  const value = read(text, name, format);
  if (value >= min && value <= max) return value;
  const range = `from ${write(min, notation)} to ${write(max, notation)}`;
  throw new UsageError(
    `Invalid value "${text}" for ${name}: give ${WANTED[notation]} ${range}${notation === "size" ? " bytes" : ""}`,
  );
}

/** Creates the parser of an option with a number. */
export function numberParser(name: string, format: NumberFormat): (text: string) => number {
  return (text) => parseNumber(text, name, format);
}

/** The longest time in seconds: a year. */
const MAX_SECONDS = 31_536_000;

const WANTED: Readonly<Record<Notation, string>> = {
  duration: "a duration",
  count: "an integer",
  octal: "octal digits",
  decimal: "a number",
  seconds: "a number of seconds or a duration",
  size: "a size",
};

/** Parses a number without checking its bounds. Returns NaN for a text that is not in the notation. */
function read(text: string, name: string, { notation, min, max }: NumberFormat): number {
  switch (notation) {
    case "count":
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
      return text === "0" ? 0 : parseSizeBytes(text, name);
  }
}

/** Formats a number in its notation. */
export function formatNumber(value: number, notation: Notation): string {
  return notation === "duration" ? formatDuration(value) : write(value, notation);
}

function write(value: number, notation: Notation): string {
  return notation === "octal" ? value.toString(8) : `${value}`;
}
