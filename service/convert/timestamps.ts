/** Times and ages of requests, and the times of answers. */
import { InvalidArgumentError } from "../../mod.ts";
import type * as wire from "../../proto/teleport/v1/job_worker.ts";

/** Returns a time as google.protobuf.Timestamp. */
export function timestamp(time: Date): wire.Timestamp {
  const ms = time.getTime();
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

/** The range of a google.protobuf.Timestamp: the years 1 to 9999. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;
const MAX_NANOS = 999_999_999;

/**
 * Returns the time of a field; undefined when it is absent.
 *
 * @param field the name of the field for errors
 * @throws {InvalidArgumentError} when the timestamp is out of range
 */
export function dateOf(field: string, time: wire.Timestamp | null): Date | undefined {
  if (time === null) return undefined;
  const { seconds, nanos } = time;
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) {
    throw new InvalidArgumentError(
      `'${field}.seconds' must be an integer from ${MIN_SECONDS} to ${MAX_SECONDS}, got ${seconds}`,
    );
  }
  if (nanos < 0 || nanos > MAX_NANOS) {
    throw new InvalidArgumentError(`'${field}.nanos' must be an integer from 0 to ${MAX_NANOS}, got ${nanos}`);
  }
  return new Date(seconds * 1_000 + nanos / 1_000_000);
}

/** The greatest age, a hundred years in milliseconds. */
const MAX_AGE_MS = 3_155_760_000_000;

/**
 * Returns the time that a request gives in one of two ways: an age by the server's clock, or a time by the client's.
 *
 * @param field the name of the field for errors; the field of the age ends with `_age_ms`
 * @throws {InvalidArgumentError} when the age or the time is out of range
 */
export function momentOf(field: string, ageMs: number | undefined, time: wire.Timestamp | null): Date | undefined {
  return ageMs === undefined ? dateOf(field, time) : new Date(Date.now() - checkAge(`${field}_age_ms`, ageMs));
}

/**
 * Returns an age after a check of its range.
 *
 * @throws {InvalidArgumentError} when it is out of range
 */
export function checkAge(field: string, ageMs: number): number {
  if (ageMs <= MAX_AGE_MS) return ageMs;
  throw new InvalidArgumentError(`'${field}' must be an integer from 0 to ${MAX_AGE_MS}, got ${ageMs}`);
}
