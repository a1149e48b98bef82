/** Streams for tests, made of items. */

/** Gives the items as a stream. */
export async function* stream<Item>(...items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}
