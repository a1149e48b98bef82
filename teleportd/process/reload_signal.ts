/** Reloads the configuration of a server on SIGHUP, and stops a server whose terminal was closed. */

/** The handler of SIGHUP. */
export interface ReloadSignal extends Disposable {
  /** Calls back at each further signal. Calls back at once if a signal came during the start. */
  readonly listening: (reload: () => void) => void;
}

/** A standard stream, such as `Deno.stdin`. */
export interface StandardStream {
  /** Returns whether it is an open terminal. */
  isTerminal(): boolean;
}

/**
 * Listens for SIGHUP from the start on: its default action would end a server that does not serve yet.
 *
 * @param streams the standard streams of the server
 * @param stop begins an orderly stop; called when the terminal of the server was closed
 */
export function listenForReload(streams: readonly StandardStream[], stop: () => void): ReloadSignal {
  const hasTerminal = () => streams.some((stream) => stream.isTerminal());
  const hadTerminal = hasTerminal();
  let reload: (() => void) | undefined;
  let isDue = false;
  let isStopping = false;
  const listener = () => {
    // The terminal of a server that was started by hand was closed. Nobody would see that it continues, so it stops.
    if (hadTerminal && !hasTerminal()) {
      // The shell and the kernel both send the signal. The second one must not shorten the grace period of jobs.
      if (!isStopping) stop();
      isStopping = true;
      return;
    }
    if (reload === undefined) isDue = true;
    else reload();
  };
  Deno.addSignalListener("SIGHUP", listener);
  return {
    listening(callback) {
      reload = callback;
      if (isDue) callback();
    },
    [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", listener),
  };
}
