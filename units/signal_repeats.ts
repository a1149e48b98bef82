/** Detects repeated signals: with a wrapper program, one key press sends a signal twice. */

/**
 * The time in which a second signal is a repetition. Ctrl-C reaches every process of the foreground group, and wrappers
 * such as `deno task` and npx also forward it to their child. Measured: the second SIGINT arrives 1 to 5 ms after the
 * first. People need at least 200 ms to press a key again.
 */
const REPEAT_MS = 200;

/** The times of the last signals. */
export class SignalRepeats {
  readonly #countedMs = new Map<string, number>();

  /**
   * Returns true when a signal repeats the last one of its name. Otherwise it notes the time of the signal.
   *
   * @param nowMs the time of a monotonic clock, in milliseconds
   */
  isRepeat(signal: string, nowMs: number): boolean {
    const countedMs = this.#countedMs.get(signal);
    if (countedMs !== undefined && nowMs - countedMs < REPEAT_MS) return true;
    this.#countedMs.set(signal, nowMs);
    return false;
  }
}
