/** Heartbeats: on a quiet stream, a sign of life as often as the caller asked for. Nobody who did not ask has a timer. */
import { InvalidArgumentError } from "../../mod.ts";

/** More often would be load, not life. */
const MIN_MS = 1_000;

/** Once an hour; less often is no heartbeat. */
const MAX_MS = 3_600_000;

/** @throws {InvalidArgumentError} when the interval is neither 0 nor from one second to one hour */
export function checkHeartbeat(heartbeatMs: number): number {
  if (heartbeatMs === 0 || (heartbeatMs >= MIN_MS && heartbeatMs <= MAX_MS)) return heartbeatMs;
  throw new InvalidArgumentError(
    `Invalid heartbeat "${heartbeatMs}": give milliseconds from ${MIN_MS} to ${MAX_MS}, or 0 for none`,
  );
}

/** Yields every `heartbeatMs` until the result is there or the signal aborts. */
export async function* beatsUntil(
  result: Promise<unknown>,
  heartbeatMs: number,
  signal: AbortSignal,
): AsyncGenerator<void, void, void> {
  const settled = result.then(() => true, () => true);
  while (!signal.aborted) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const beat = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), heartbeatMs));
    const over = await Promise.race([settled, beat]);
    clearTimeout(timer);
    if (over) return;
    yield;
  }
}
