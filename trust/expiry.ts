/** When the end of a certificate is near enough for a warning. */

/** From when until when a certificate is valid. */
export interface Dates {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** A month: long enough for a person to act, and a third of the life of a client's certificate. */
const WARNING_MS = 30 * DAY_MS;

/** How long before its end a certificate is warned of: 30 days, or a third of its life if that is shorter. */
export function warningMs({ notBefore, notAfter }: Dates): number {
  return Math.min(WARNING_MS, (notAfter.getTime() - notBefore.getTime()) / 3);
}

/**
 * A warning about the end of a certificate. Undefined while the end is far enough away.
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
