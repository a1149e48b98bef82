/** Keeps what strangers cause out of the log's way: each kind of event gets at most one line a second. */

/** A second between two lines of one kind: an attack shows in the log at once, and a day of it is 86,400 lines. */
const INTERVAL_MS = 1_000;

/** Kinds are named by the code, never by a client. A larger number of them is a defect, which must not take memory. */
const MAX_KINDS = 100;

/** One kind of event in the current second. */
interface Window {
  readonly timer: ReturnType<typeof setTimeout>;
  /** Events since the last line. */
  unwritten: number;
  /** The text of the latest of them. */
  latest: string;
}

/**
 * Writes the first event of a kind at once, and then one line a second that has the latest text and the number of the
 * events without a line. No timer runs while nothing happens.
 *
 * @example
 * ```ts
 * import { LimitedLog } from "./limited_log.ts";
 *
 * using log = new LimitedLog((line) => console.error(line));
 * log.write("CALL_LIMIT", 'refused a call of user "ann": 100 calls are open');
 * ```
 */
export class LimitedLog implements Disposable {
  readonly #tell: (line: string) => void;
  readonly #windows = new Map<string, Window>();

  /** @param tell Writes a line into the log */
  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /**
   * Notes an event.
   *
   * @param kind A stable code, such as `HANDSHAKES`
   * @param text The line for the log
   */
  write(kind: string, text: string): void {
    const window = this.#windows.get(kind);
    if (window !== undefined) {
      window.unwritten += 1;
      window.latest = text;
    } else if (this.#windows.size < MAX_KINDS) {
      this.#tell(text);
      this.#open(kind);
    }
  }

  /** Writes what is left. */
  [Symbol.dispose](): void {
    for (const [kind, { timer }] of this.#windows) {
      clearTimeout(timer);
      this.#flush(kind);
    }
    this.#windows.clear();
  }

  #open(kind: string): void {
    const timer = setTimeout(() => {
      const wrote = this.#flush(kind);
      this.#windows.delete(kind);
      if (wrote) this.#open(kind);
    }, INTERVAL_MS);
    this.#windows.set(kind, { timer, unwritten: 0, latest: "" });
  }

  /** Returns whether there was anything to write. */
  #flush(kind: string): boolean {
    const { unwritten = 0, latest = "" } = this.#windows.get(kind) ?? {};
    if (unwritten === 0) return false;
    this.#tell(unwritten === 1 ? latest : `${latest} (and ${unwritten - 1} more in the last second)`);
    return true;
  }
}
