/** Streams for tests: made of items, and read to the first item or to the end. */

/** Gives the items as a stream. */
export async function* stream<Item>(...items: readonly Item[]): AsyncGenerator<Item> {
  for (const item of items) yield await Promise.resolve(item);
}

/** Reads a stream to its end and gives all its items. */
export async function all<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

/** Reads the first item of a stream and leaves the stream. */
export async function first<Item>(source: AsyncIterable<Item>): Promise<Item> {
  for await (const item of source) return item;
  throw new Error("The stream ended without an item");
}
