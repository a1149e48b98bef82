/**
 * Measures how late the event loop is. Deno's `monitorEventLoopDelay` reports microseconds also for a loop that was
 * blocked for 200 ms (measured on 2.9.6), so this uses a timer, which runs only while metrics are on.
 */

/** Ten times a second: a loop that is blocked for 50 ms is seen in half of all cases, one blocked for 100 ms always. */
const INTERVAL_MS = 100;

/**
 * Calls back with each delay in milliseconds until it is disposed of.
 *
 * @param record receives the time by which a timer was late
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
