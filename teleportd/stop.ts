/** When `teleportd` is to stop, and when it is to hurry, as the system's signals say. */

/** After a second signal nothing waits longer than this. */
const HURRY_MS = 500;

/** What was asked for by signals. */
export interface StopSignals {
  /** Aborts at the first. */
  readonly stop: AbortSignal;
  /** Aborts at the second: what is left is killed, and nothing else is waited for. */
  readonly hurry: AbortSignal;
}

/**
 * Listens for SIGTERM and SIGINT from now on.
 *
 * @param exit ends the program at once; called half a second after the second signal if it still runs then
 */
export function stopSignals(exit: () => void): StopSignals {
  const stop = new AbortController();
  const hurry = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) {
      hurry.abort();
      setTimeout(exit, HURRY_MS);
    }
    stop.abort();
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, onSignal);
  return { stop: stop.signal, hurry: hurry.signal };
}
