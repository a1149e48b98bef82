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

/**
 * Parses a size.
 *
 * @param name the name of the option for the error text, such as `--max-output`
 * @returns the size in bytes
 * @throws {UsageError} when the text is not a size of at least one byte
 */
export function parseSizeBytes(text: string, name: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,12})([a-zA-Z]*)$/.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  const bytes = Number(digits) * (factor ?? NaN);
  if (digits === "" || !Number.isSafeInteger(bytes) || bytes < 1) {
    throw new UsageError(`Invalid size "${text}" for ${name}: give one such as "500k", "100MB" or "1GiB"`);
  }
  return bytes;
}
