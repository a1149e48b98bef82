/** Lets work of unknown length, such as a scan of a large log, share the event loop with everything else. */
import { setImmediate } from "node:timers";

/** The time in one turn of the loop for all such work together, in milliseconds. Other events wait no longer than this. */
const TURN_MS = 10;

/** The work that waits, in order. One continues in each turn. */
const queue: (() => void)[] = [];

/** When such work began in this turn of the loop; undefined when it has not. */
let beganMs: number | undefined;

/**
 * Returns a promise that resolves when the work may continue; undefined while this turn has time left. Work should call
 * it about once a millisecond.
 *
 * @example
 * ```ts
 * import { loopTurn } from "./loop_turns.ts";
 *
 * for (let step = 0; step < 1_000; step++) await loopTurn();
 * ```
 */
export function loopTurn(): Promise<void> | undefined {
  const now = performance.now();
  if (beganMs === undefined) {
    beganMs = now;
    setImmediate(endTurn);
    return undefined;
  }
  if (queue.length === 0 && now - beganMs < TURN_MS) return undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  queue.push(resolve);
  return promise;
}

/** Runs once in each turn of the loop that has such work. */
function endTurn(): void {
  const next = queue.shift();
  if (next === undefined) {
    beganMs = undefined;
    return;
  }
  beganMs = performance.now();
  setImmediate(endTurn);
  next();
}
