/** Turns signals of the system into the two abort signals of a server: stop, and hurry. */
import { SignalRepeats } from "../../units/signal_repeats.ts";

/** How long the server may run after the second signal, in milliseconds. */
const HURRY_MS = 500;

/** The requests of the signals. */
export interface StopSignals extends Disposable {
  /** Aborts at the first signal. */
  readonly stop: AbortSignal;
  /** Aborts at the second signal: jobs are killed, and nothing else is waited for. */
  readonly hurry: AbortSignal;
  /** Does the same as a signal. */
  readonly request: () => void;
}

/**
 * Listens for SIGTERM and SIGINT. A repetition of the same signal within 200 ms is not a second signal.
 *
 * @param exit ends the process at once; called half a second after the second signal
 */
export function listenForStopSignals(exit: () => void): StopSignals {
  const stop = new AbortController();
  const hurry = new AbortController();
  const repeats = new SignalRepeats();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const request = () => {
    if (stop.signal.aborted) {
      hurry.abort();
      timer ??= setTimeout(exit, HURRY_MS);
    }
    stop.abort();
  };
  const listeners = (["SIGTERM", "SIGINT"] as const).map((name) => {
    const listener = () => {
      if (!repeats.isRepeat(name, performance.now())) request();
    };
    Deno.addSignalListener(name, listener);
    return () => Deno.removeSignalListener(name, listener);
  });
  return {
    stop: stop.signal,
    hurry: hurry.signal,
    request,
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const remove of listeners) remove();
    },
  };
}
