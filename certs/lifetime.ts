/** The validity of new certificates. */
import { CertificateError } from "./errors.ts";

/** The time in which a certificate is accepted, including both ends. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The default days of validity. Keys that more people have are valid for a shorter time. */
export const DEFAULT_DAYS = { authority: 3650, server: 365, client: 90 } as const;

/** The most days of validity: those of an authority. */
export const MAX_DAYS = DEFAULT_DAYS.authority;

const DAY_MS = 24 * 60 * 60 * 1000;

/** The clock difference to allow, so that a machine with a slow clock accepts a new certificate. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** Options of the validity. */
export interface LifetimeOptions {
  /** The kind of certificate, for the default. */
  readonly kind: keyof typeof DEFAULT_DAYS;
  /** The days from now, 1 to 3650. Absent: the default, or until the authority ends. */
  readonly days?: number | undefined;
  /** The end of the signing authority. Absent for an authority. */
  readonly authorityNotAfter?: Date;
  /** The current time. Absent: that of the system clock. */
  readonly now?: Date | undefined;
}

/**
 * Computes the validity of a new certificate. It never ends after the authority.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when the days are out of range, or end after the authority
 */
export function lifetime(options: LifetimeOptions): Validity {
  const { kind, authorityNotAfter, now = new Date() } = options;
  const days = options.days ?? DEFAULT_DAYS[kind];
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `'--days' must be an integer from 1 to ${MAX_DAYS}, got ${days}`,
    );
  }
  let notAfter = wholeSeconds(now.getTime() + days * DAY_MS);
  if (authorityNotAfter !== undefined && notAfter > authorityNotAfter) {
    // A given number of days is never shortened silently.
    if (options.days !== undefined) {
      throw new CertificateError(
        "INVALID_ARGUMENT",
        `Cannot issue a certificate for ${days} days: the authority ends on ` +
          `${authorityNotAfter.toISOString().slice(0, 10)}; give fewer days, or renew the authority`,
      );
    }
    notAfter = authorityNotAfter;
  }
  return { notBefore: wholeSeconds(now.getTime() - CLOCK_SKEW_MS), notAfter };
}

/** Rounds to seconds, as certificates do, so that reports show the same time as the certificate. */
function wholeSeconds(timeMs: number): Date {
  return new Date(Math.floor(timeMs / 1000) * 1000);
}
