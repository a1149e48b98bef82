/** Closes a supervisor when a signal ends the program. Otherwise its jobs would continue without a supervisor. */

/** A signal that ends a program and that the program can handle. */
export type ClosingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/**
 * Calls `close(false)` at the first of these signals and `close(true)` at each later one. After the first call has
 * resolved, the program gets the signal again and ends by it.
 *
 * @param close closes the supervisor; `true` means without a grace period
 * @returns disposing of it removes the signal handlers
 */
export function closeOnSignals(
  signals: readonly ClosingSignal[],
  close: (atOnce: boolean) => Promise<void>,
): Disposable {
  let count = 0;
  const removals = signals.map((signal) => {
    const listener = () => {
      count += 1;
      const closed = close(count > 1);
      if (count === 1) void closed.finally(() => endBy(signal)).catch(() => {});
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  const stop = () => {
    for (const remove of removals.splice(0)) remove();
  };
  const endBy = (signal: ClosingSignal) => {
    stop();
    Deno.kill(Deno.pid, signal);
  };
  return { [Symbol.dispose]: stop };
}
