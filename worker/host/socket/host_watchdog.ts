/** Finds out whether a job host acknowledges messages. It has a timer only while somebody waits for the host. */

/** The share of the time after which the host is suspected. In the rest, the loop reads what has arrived. */
const SUSPECT_SHARE = 0.9;

/** Options of a watchdog. */
export interface HostWatchdogOptions {
  /** The longest time without an acknowledgement, in milliseconds. */
  readonly timeoutMs: number;
  /** Returns whether a caller waits for the host, in addition to the acknowledgements. */
  readonly isWaiting: () => boolean;
  /** Sends a message that the host must acknowledge. */
  readonly ping: () => void;
  /** Called when the host has been silent for that time. */
  readonly onSilent: () => void;
}

/**
 * Measures the time since the host should have acknowledged a message. The host acknowledges each message when it has
 * read it, not when it has finished the call. A call may take hours.
 *
 * The timer goes off in two steps. When the loop of this process was blocked, the first step comes late, and the
 * acknowledgement is read before the second one.
 */
export class HostWatchdog {
  readonly #options: HostWatchdogOptions;
  #sent = 0;
  #acknowledged = 0;
  /** When the oldest message without an acknowledgement was sent, or the last acknowledgement arrived. */
  #sinceMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSuspected = false;

  constructor(options: HostWatchdogOptions) {
    this.#options = options;
  }

  /** Notes a message that the host must acknowledge. */
  sent(): void {
    if (this.#acknowledged >= this.#sent) this.#sinceMs = performance.now();
    this.#sent++;
    this.#timer ??= this.#start(this.#options.timeoutMs * SUSPECT_SHARE);
  }

  /**
   * Notes a message of the host, after its effect.
   *
   * @param acknowledged the number of messages that it acknowledges; undefined when it acknowledges none
   */
  heard(acknowledged: unknown): void {
    if (typeof acknowledged === "number" && acknowledged > this.#acknowledged) {
      this.#acknowledged = acknowledged;
      this.#sinceMs = performance.now();
      this.#isSuspected = false;
    }
    if (this.#acknowledged >= this.#sent && !this.#options.isWaiting()) this.stop();
  }

  /** Ends the timer. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #start(ms: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#check(), ms);
  }

  #check(): void {
    this.#timer = undefined;
    const { timeoutMs, isWaiting, ping, onSilent } = this.#options;
    if (this.#acknowledged >= this.#sent) {
      if (isWaiting()) ping();
      return;
    }
    if (this.#isSuspected) {
      this.#isSuspected = false;
      return onSilent();
    }
    const leftMs = timeoutMs * SUSPECT_SHARE - (performance.now() - this.#sinceMs);
    this.#isSuspected = leftMs <= 0;
    this.#timer = this.#start(this.#isSuspected ? timeoutMs * (1 - SUSPECT_SHARE) : leftMs);
  }
}
