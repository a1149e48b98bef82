/** Times of options such as `--since`: a date (RFC 3339), or a duration before now, which uses the clock of the server. */
import type { Timestamp } from "../proto/teleport/v1/job_worker.ts";
import { parseDurationMs } from "./duration.ts";
import { UsageError } from "./usage_error.ts";

/** A parsed time. */
export interface Moment {
  /** The time by the clock of this machine. */
  readonly time: Timestamp;
  /** The duration before now, in milliseconds. Absent for a date. */
  readonly ageMs?: number;
}

/** The longest duration before now: a year. */
const MAX_AGO_MS = 366 * 24 * 3_600_000;

/** RFC 3339 with time of day and offset. The seconds are optional. */
const MOMENT =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** The range of google.protobuf.Timestamp: years 1 to 9999. */
const MIN_MS = -62_135_596_800_000;
const MAX_MS = 253_402_300_799_999;

/**
 * Creates the parser of an option.
 *
 * @param name the name of the option for the error text, such as `--since`
 * @returns a function that throws a UsageError when the text is not a time
 */
export function momentParser(name: string): (text: string) => Moment {
  return (text) => {
    if (!/^\d{4}-/.test(text)) {
      const ageMs = parseAgeMs(text, name);
      return { time: timestampOf(Date.now() - ageMs), ageMs };
    }
    if (!MOMENT.test(text)) {
      throw new UsageError(
        `Invalid time "${text}" for ${name}: give date, time and offset, such as "2026-01-31T12:00:00Z"`,
      );
    }
    const ms = dateMs(text);
    if (ms === undefined) {
      throw new UsageError(
        `Invalid time "${text}" for ${name}: this time does not exist, give one such as "2026-01-31T12:00:00Z"`,
      );
    }
    return { time: timestampOf(ms) };
  };
}

/**
 * Returns the request fields of a time. An age is sent with the time: new servers use the age and their own clock, and
 * old servers use the time.
 */
export function momentFields<Field extends string>(field: Field, moment: Moment | undefined): MomentFields<Field> {
  if (moment === undefined) return {};
  const age = moment.ageMs === undefined ? {} : { [`${field}_age_ms`]: moment.ageMs };
  return { [field]: moment.time, ...age } as MomentFields<Field>;
}

/** Returns a request for a later repetition. Its ages are larger, so that they mean the same times. */
export function withLaterAges<Request extends object>(request: Request, laterMs: number): Request {
  const entries = Object.entries(request).map(([name, value]) =>
    name.endsWith("_age_ms") && typeof value === "number" ? [name, value + Math.round(laterMs)] : [name, value]
  );
  return Object.fromEntries(entries) as Request;
}

/** The two request fields of one time. */
type MomentFields<Field extends string> =
  & { readonly [name in Field]?: Timestamp }
  & { readonly [name in `${Field}_age_ms`]?: number };

/** Parses a date strictly. Date.parse() accepts 30 February as 2 March, and 24:00 as the next day. */
function dateMs(text: string): number | undefined {
  const match = MOMENT.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map((part) =>
    Number(part ?? 0)
  );
  const lastDay = new Date(Date.UTC(2000 + year % 400, month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > lastDay || hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = Date.parse(text.toUpperCase().replace(" ", "T"));
  return ms >= MIN_MS && ms <= MAX_MS ? ms : undefined;
}

function parseAgeMs(text: string, name: string): number {
  if (!/^\d+(d|h|m|s|ms)/.test(text)) {
    throw new UsageError(
      `Invalid time "${text}" for ${name}: give one such as "2026-01-31T12:00:00Z", or "10m" for ten minutes ago`,
    );
  }
  return parseDurationMs(text, { name, minMs: 0, maxMs: MAX_AGO_MS });
}

function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: (ms - seconds * 1_000) * 1_000_000 };
}
