/** Lets work of unknown length, such as a scan of a large log, share the event loop with everything else. */
import { setImmediate } from "node:timers";

/** Of one turn of the loop for all such work together: what waits in the meantime is answered this much later. */
const TURN_MS = 10;

/** Those that wait, in order. One goes on in each turn. */
const queue: (() => void)[] = [];

/** When such work began in this turn of the loop; undefined: it did not. */
let beganMs: number | undefined;

/** Resolves when the work may go on; undefined while this turn has time left. To be asked every millisecond or so. */
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

/** Runs once in each turn of the loop with such work. */
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
