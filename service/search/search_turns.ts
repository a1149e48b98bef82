/** Lets searches share the event loop with each other and with all other calls. */
import { setImmediate } from "node:timers";

/** The searches that wait, in order. */
const queue: (() => void)[] = [];

/** Resolves in a later turn of the event loop. In each turn one search continues, so that a hundred do not add up. */
export function searchTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (queue.push(resolve) === 1) setImmediate(continueOne);
  return promise;
}

function continueOne(): void {
  const next = queue.shift();
  if (queue.length > 0) setImmediate(continueOne);
  next?.();
}
