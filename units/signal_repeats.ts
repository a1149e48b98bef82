/** Tells one key press from two: under a wrapper a signal arrives twice. */

/**
 * Ctrl-C reaches every process of the terminal's foreground group, and wrappers such as `deno task` and npx send it on to
 * their child too. Measured: the second SIGINT comes 1 to 5 ms after the first. People press a key again after 200 ms at
 * the soonest.
 */
const REPEAT_MS = 200;

/** Knows when each signal was counted last. */
export class SignalRepeats {
  readonly #countedMs = new Map<string, number>();

  /**
   * Whether this is the signal before, once more. One that is not is counted from now on.
   *
   * @param nowMs of a clock that only goes forward
   */
  isRepeat(signal: string, nowMs: number): boolean {
    const countedMs = this.#countedMs.get(signal);
    if (countedMs !== undefined && nowMs - countedMs < REPEAT_MS) return true;
    this.#countedMs.set(signal, nowMs);
    return false;
  }
}
