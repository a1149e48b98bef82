/** When `teleportd` is to stop, and when it is to hurry, as the system's signals say. */

import { SignalRepeats } from "../units/signal_repeats.ts";

/** After a second signal nothing waits longer than this. */
const HURRY_MS = 500;

/** What was asked for by signals. */
export interface StopSignals {
  /** Aborts at the first. */
  readonly stop: AbortSignal;
  /** Aborts at the second: what is left is killed, and nothing else is waited for. */
  readonly hurry: AbortSignal;
  /** Does what a signal does. */
  readonly request: () => void;
}

/**
 * Listens for SIGTERM and SIGINT from now on. The same signal once more within 200 ms is not a second one.
 *
 * @param exit ends the program at once; called half a second after the second signal if it still runs then
 */
export function stopSignals(exit: () => void): StopSignals {
  const stop = new AbortController();
  const hurry = new AbortController();
  const repeats = new SignalRepeats();
  const request = () => {
    if (stop.signal.aborted) {
      hurry.abort();
      setTimeout(exit, HURRY_MS);
    }
    stop.abort();
  };
  const onSignal = (signal: string) => {
    if (!repeats.isRepeat(signal, performance.now())) request();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => onSignal(signal));
  }
  return { stop: stop.signal, hurry: hurry.signal, request };
}
