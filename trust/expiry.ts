/** Warnings about certificates that end soon. */

/** The validity of a certificate. */
export interface Dates {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The longest time of a warning. It is a third of the default validity of a client certificate. */
const WARNING_MS = 30 * DAY_MS;

/** Returns the time before the end from which to warn: 30 days, or a third of the validity if that is shorter. */
export function warningMs({ notBefore, notAfter }: Dates): number {
  return Math.min(WARNING_MS, (notAfter.getTime() - notBefore.getTime()) / 3);
}

/**
 * Returns the warning about the end of a certificate. Undefined before the time to warn.
 *
 * @example
 * ```ts
 * const dates = { notBefore: new Date("2026-01-01"), notAfter: new Date("2026-03-31") };
 * expiryWarning(dates, new Date("2026-03-29")); // "ends in 2 days, on 2026-03-31"
 * ```
 */
export function expiryWarning(dates: Dates, now: Date = new Date()): string | undefined {
  const leftMs = dates.notAfter.getTime() - now.getTime();
  const day = dates.notAfter.toISOString().slice(0, 10);
  if (leftMs <= 0) return `ended on ${day}`;
  if (leftMs >= warningMs(dates)) return undefined;
  const days = Math.floor(leftMs / DAY_MS);
  return `ends in ${days === 0 ? "less than a day" : days === 1 ? "1 day" : `${days} days`}, on ${day}`;
}
