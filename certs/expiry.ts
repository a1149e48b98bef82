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

/** A certificate by name, and when it ends. */
export interface End {
  readonly name: string;
  readonly notAfter: Date;
}

/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Tells of ends that are near: now, and again each day from 30 days before. Until then one timer waits and nothing else;
 * it keeps no program alive.
 */
export class ExpiryReminder implements Disposable {
  readonly #tell: (line: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** Minds these from now on, and no others. */
  mind(ends: readonly End[]): void {
    clearTimeout(this.#timer);
    const now = new Date();
    let waitMs = MAX_TIMER_MS;
    for (const { name, notAfter } of ends) {
      const warning = expiryWarning(notAfter, now);
      if (warning !== undefined) this.#tell(`warning: ${name} ${warning}`);
      const untilWarningMs = notAfter.getTime() - now.getTime() - WARNING_DAYS * DAY_MS;
      waitMs = Math.min(waitMs, warning === undefined ? untilWarningMs + 1_000 : DAY_MS);
    }
    this.#timer = setTimeout(() => this.mind(ends), waitMs);
    Deno.unrefTimer(this.#timer);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
