/** Bounds what strangers can add to the log: one line a second for each kind of event. */
import type { LogFields, Logger } from "../../base/logger.ts";

/** The time between two lines of one kind. A day of an attack is then 86,400 lines. */
const INTERVAL_MS = 1_000;

/** The most kinds at a time. Kinds are named by the code, so more of them are a defect, which must not use memory. */
const MAX_KINDS = 100;

/** One kind of event in the current second. */
interface Window {
  readonly timer: ReturnType<typeof setTimeout>;
  /** The number of events since the last line. */
  unwritten: number;
  /** The latest of them. */
  latest: string;
  fields: LogFields;
}

/**
 * Writes the first event of a kind at once as a warning. Further ones become one line a second, with the latest text and
 * the number of the others. No timer runs while nothing happens.
 *
 * @example
 * ```ts
 * import { LimitedLog } from "./limited_log.ts";
 *
 * using log = new LimitedLog({ warn: (message) => console.error(message) });
 * log.warn("CALL_LIMIT", "Refused a call: the user has too many calls open", { user: "ann" });
 * ```
 */
export class LimitedLog implements Disposable {
  readonly #log: Pick<Logger, "warn">;
  readonly #windows = new Map<string, Window>();

  constructor(log: Pick<Logger, "warn">) {
    this.#log = log;
  }

  /**
   * Adds an event.
   *
   * @param kind a stable code, such as `HANDSHAKES`
   * @param message the message for the log
   * @param fields the fields for the log
   */
  warn(kind: string, message: string, fields: LogFields = {}): void {
    const window = this.#windows.get(kind);
    if (window !== undefined) {
      window.unwritten += 1;
      window.latest = message;
      window.fields = fields;
    } else if (this.#windows.size < MAX_KINDS) {
      this.#log.warn(message, { kind, ...fields });
      this.#open(kind);
    }
  }

  /** Writes the events that have no line yet. */
  [Symbol.dispose](): void {
    for (const [kind, { timer }] of this.#windows) {
      clearTimeout(timer);
      this.#flush(kind);
    }
    this.#windows.clear();
  }

  #open(kind: string): void {
    const timer = setTimeout(() => {
      const hasWritten = this.#flush(kind);
      this.#windows.delete(kind);
      if (hasWritten) this.#open(kind);
    }, INTERVAL_MS);
    this.#windows.set(kind, { timer, unwritten: 0, latest: "", fields: {} });
  }

  /** Writes one line for all events without a line. Returns whether there were any. */
  #flush(kind: string): boolean {
    const { unwritten = 0, latest = "", fields } = this.#windows.get(kind) ?? {};
    if (unwritten === 0) return false;
    const more = unwritten - 1;
    const message = more === 0 ? latest : `${latest} (and ${more} more in the last second)`;
    this.#log.warn(message, { kind, ...fields, ...(more === 0 ? {} : { more_events: more }) });
    return true;
  }
}
