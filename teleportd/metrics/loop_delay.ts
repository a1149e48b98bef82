/**
 * Measures how late the event loop is. This uses a timer, which runs only while metrics are on. Deno's
 * `monitorEventLoopDelay` does not work: on 2.9.6 it reports microseconds for a loop that was blocked for 200 ms.
 */

/** The interval of the timer. It detects a block of 100 ms always, and a block of 50 ms in half of all cases. */
const INTERVAL_MS = 100;

/**
 * Measures until it is disposed of.
 *
 * @param record receives each delay in milliseconds
 */
export function watchLoopDelay(record: (delayMs: number) => void): Disposable {
  let dueMs = performance.now() + INTERVAL_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    record(Math.max(0, nowMs - dueMs));
    dueMs = nowMs + INTERVAL_MS;
  }, INTERVAL_MS);
  Deno.unrefTimer(timer);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
