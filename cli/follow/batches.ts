/** Divides work into calls that are made at the same time. */

/** The number of calls at a time, below the 100 streams that HTTP/2 servers commonly allow on a connection. */
const MAX_AT_ONCE = 32;

/** Returns the items in batches, each for one round of calls. */
export function* batchesOf<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += MAX_AT_ONCE) yield items.slice(at, at + MAX_AT_ONCE);
}
