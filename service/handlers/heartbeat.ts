/** Heartbeats of streams: the check of their interval, and the wait for a result with heartbeats in between. */
import { InvalidArgumentError } from "../../mod.ts";

/** The shortest interval, in milliseconds. More heartbeats would be a load. */
const MIN_MS = 1_000;

/** The longest interval, in milliseconds. */
const MAX_MS = 3_600_000;

/**
 * Returns the interval of a request after a check.
 *
 * @throws {InvalidArgumentError} when it is neither 0 nor from one second to one hour
 */
export function checkHeartbeat(heartbeatMs: number): number {
  if (heartbeatMs === 0 || (heartbeatMs >= MIN_MS && heartbeatMs <= MAX_MS)) return heartbeatMs;
  throw new InvalidArgumentError(
    `'heartbeat_ms' must be an integer from ${MIN_MS} to ${MAX_MS}, or 0 for none, got ${heartbeatMs}`,
  );
}

/** Yields every `heartbeatMs` until the result is settled or the signal aborts. */
export async function* heartbeatsUntil(
  result: Promise<unknown>,
  heartbeatMs: number,
  signal: AbortSignal,
): AsyncGenerator<void, void, void> {
  const settled = result.then(() => true, () => true);
  while (!signal.aborted) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const heartbeat = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), heartbeatMs));
    const isSettled = await Promise.race([settled, heartbeat]);
    clearTimeout(timer);
    if (isSettled) return;
    yield;
  }
}
