/** Warnings about certificates that end soon. */
import type { Logger } from "../base/logger.ts";
import { type Dates, expiryWarning, warningMs } from "../trust/expiry.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** The name of a certificate and its dates. */
export interface NamedDates extends Dates {
  readonly name: string;
}

/** The longest timer: setTimeout takes a signed 32-bit number of milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Warns about certificates that end soon: at once, and then every day. One timer runs, which does not keep the program
 * running.
 */
export class ExpiryReminder implements Disposable {
  readonly #log: Pick<Logger, "warn">;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: Pick<Logger, "warn">) {
    this.#log = log;
  }

  /** Watches these certificates instead of the ones before. */
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
