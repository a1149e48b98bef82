/** From when until when certificates are valid. */
import { CertificateError } from "./errors.ts";

/** The span of time in which a certificate is accepted, both ends included. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** How many days a certificate is valid unless told otherwise: the shorter, the more hands its key is in. */
export const DEFAULT_DAYS = { authority: 3650, server: 365, client: 90 } as const;

/** The life of an authority; what it signs cannot be of use for longer. */
const MAX_DAYS = DEFAULT_DAYS.authority;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Clocks of two machines differ; a certificate made a moment ago must hold on one that is a little behind. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** What decides the validity of a new certificate. */
export interface LifetimeOptions {
  /** Which default applies. */
  readonly kind: keyof typeof DEFAULT_DAYS;
  /** Whole days from now, 1 to 3650. Absent: the default, cut to the authority's life. */
  readonly days?: number | undefined;
  /** The end of the authority that signs. Absent for an authority. */
  readonly authorityNotAfter?: Date;
  /** The present. Absent: the clock's. */
  readonly now?: Date | undefined;
}

/**
 * Decides the validity of a new certificate, which never ends after that of its authority.
 *
 * @throws {CertificateError} `INVALID_ARGUMENT` when the days are out of bounds or end after the authority does.
 */
export function lifetime(options: LifetimeOptions): Validity {
  const { kind, authorityNotAfter, now = new Date() } = options;
  const days = options.days ?? DEFAULT_DAYS[kind];
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) {
    throw new CertificateError(
      "INVALID_ARGUMENT",
      `Invalid number of days "${days}": give a whole number from 1 to ${MAX_DAYS}`,
    );
  }
  let notAfter = wholeSeconds(now.getTime() + days * DAY_MS);
  if (authorityNotAfter !== undefined && notAfter > authorityNotAfter) {
    // Who asks for a number gets that number or a refusal; who asks for none gets what there is.
    if (options.days !== undefined) {
      throw new CertificateError(
        "INVALID_ARGUMENT",
        `Invalid number of days "${days}": the authority ends on "${authorityNotAfter.toISOString().slice(0, 10)}", ` +
          "give fewer days or make a new authority",
      );
    }
    notAfter = authorityNotAfter;
  }
  return { notBefore: wholeSeconds(now.getTime() - CLOCK_SKEW_MS), notAfter };
}

/** Certificates count in seconds; rounded here, so that what is reported is what the certificate says. */
function wholeSeconds(timeMs: number): Date {
  return new Date(Math.floor(timeMs / 1000) * 1000);
}
