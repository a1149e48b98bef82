/** Ends the jobs of a program that a signal ends: without, they would run on without anybody who knows of them. */

/** A signal that ends a program, and that it can hear. */
export type ClosingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/**
 * Calls `close` at the first of these signals, and with `true` at the next. When it has closed, the program gets the signal
 * again and ends as it would have.
 *
 * @returns what stops listening
 */
export function closeOnSignals(
  signals: readonly ClosingSignal[],
  close: (atOnce: boolean) => Promise<void>,
): Disposable {
  let count = 0;
  const listeners = signals.map((signal) => {
    const listener = () => {
      count += 1;
      const closed = close(count > 1);
      if (count === 1) void closed.finally(() => endBy(signal)).catch(() => {});
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  const stop = () => {
    for (const remove of listeners.splice(0)) remove();
  };
  const endBy = (signal: ClosingSignal) => {
    stop();
    Deno.kill(Deno.pid, signal);
  };
  return { [Symbol.dispose]: stop };
}
