/** Sizes in text form, such as `500k`, `100MB` or `1GiB`. */
import { UsageError } from "./usage_error.ts";

/** The units: `kB` is decimal (SI), `KiB` is binary, and a single letter is binary, as in Docker. */
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1_024,
  kb: 1_000,
  kib: 1_024,
  m: 1_048_576,
  mb: 1_000_000,
  mib: 1_048_576,
  g: 1_073_741_824,
  gb: 1_000_000_000,
  gib: 1_073_741_824,
  t: 1_099_511_627_776,
  tb: 1_000_000_000_000,
  tib: 1_099_511_627_776,
};

/** Examples for error texts, each with its bytes. */
const EXAMPLES: readonly (readonly [string, number])[] = [["500k", 512_000], ["100MB", 1e8], ["1GiB", 2 ** 30]];

/**
 * Parses a size.
 *
 * @param name the name of the option for the error text, such as `--max-output`
 * @returns the size in bytes
 * @throws {UsageError} when the text is not a size of at least one byte
 */
export function parseSizeBytes(text: string, name: string): number {
  const bytes = readSizeBytes(text);
  if (bytes !== undefined && bytes >= 1) return bytes;
  throw new UsageError(`Invalid size "${text}" for ${name}: give one ${sizeExamples(1, Infinity)}`);
}

/** Returns the size in bytes. Undefined for a text that is not a size. */
export function readSizeBytes(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(\d{1,12})([a-zA-Z]*)$/.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN);
  return digits !== "" && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Returns `such as …` with examples within the bounds; empty where there are none. */
export function sizeExamples(min: number, max: number): string {
  const examples = EXAMPLES.filter(([, bytes]) => bytes >= min && bytes <= max).map(([text]) => `"${text}"`);
  const last = examples.pop();
  if (last === undefined) return "";
  return `such as ${examples.length === 0 ? last : `${examples.join(", ")} or ${last}`}`;
}
