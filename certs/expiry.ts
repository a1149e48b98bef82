/** Reminds of certificates whose end is near. */
import type { Logger } from "../base/logger.ts";
import { type Dates, expiryWarning, warningMs } from "../trust/expiry.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A certificate by name, and its dates. */
export interface NamedDates extends Dates {
  readonly name: string;
}

/** The longest that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Tells of ends that are near: now, and again each day until then. Before that one timer waits and nothing else;
 * it keeps no program alive.
 */
export class ExpiryReminder implements Disposable {
  readonly #log: Pick<Logger, "warn">;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: Pick<Logger, "warn">) {
    this.#log = log;
  }

  /** Minds these from now on, and no others. */
  watch(ends: readonly NamedDates[]): void {
    clearTimeout(this.#timer);
    const now = new Date();
    let waitMs = MAX_TIMER_MS;
    for (const { name, ...dates } of ends) {
      const warning = expiryWarning(dates, now);
      if (warning !== undefined) this.#log.warn(`${name} ${warning}`);
      const untilWarningMs = dates.notAfter.getTime() - now.getTime() - warningMs(dates);
      waitMs = Math.min(waitMs, warning === undefined ? untilWarningMs + 1_000 : DAY_MS);
    }
    this.#timer = setTimeout(() => this.watch(ends), waitMs);
    Deno.unrefTimer(this.#timer);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
