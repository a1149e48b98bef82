/** When a certificate's end is near enough to be told of. */

/** A month: long enough for a human to come round to it, and a third of a client certificate's life. */
export const WARNING_DAYS = 30;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * What to tell of a certificate's end; undefined while that is more than 30 days away.
 *
 * @example
 * ```ts
 * expiryWarning(new Date("2026-03-03"), new Date("2026-03-01")); // "ends in 2 days, on 2026-03-03"
 * ```
 */
export function expiryWarning(notAfter: Date, now: Date = new Date()): string | undefined {
  const leftMs = notAfter.getTime() - now.getTime();
  const day = notAfter.toISOString().slice(0, 10);
  if (leftMs <= 0) return `ended on ${day}`;
  const days = Math.floor(leftMs / DAY_MS);
  if (days >= WARNING_DAYS) return undefined;
  return `ends in ${days === 0 ? "less than a day" : days === 1 ? "1 day" : `${days} days`}, on ${day}`;
}
