/** A fixed number of slots that groups share. The group with the most items makes room. */

/** Keeps items in groups, such as connections by address, oldest first. */
export class FairShare<Item> {
  readonly #groups = new Map<string, Set<Item>>();
  readonly #groupOf = new Map<Item, string>();
  /** The number of slots. The owner makes room before it adds an item. */
  readonly max: number;

  /** @param max the number of slots */
  constructor(max: number) {
    this.max = max;
  }

  /** The number of items. */
  get size(): number {
    return this.#groupOf.size;
  }

  /** True when every slot is used. */
  get isFull(): boolean {
    return this.size >= this.max;
  }

  /** Returns all items, oldest first. */
  items(): Iterable<Item> {
    return this.#groupOf.keys();
  }

  /** Adds an item to a group. */
  add(item: Item, group: string): void {
    this.#groupOf.set(item, group);
    const items = this.#groups.get(group);
    if (items === undefined) this.#groups.set(group, new Set([item]));
    else items.add(item);
  }

  /** Removes an item. Returns false when it was not there. */
  delete(item: Item): boolean {
    const group = this.#groupOf.get(item);
    if (group === undefined) return false;
    this.#groupOf.delete(item);
    const items = this.#groups.get(group);
    items?.delete(item);
    if (items?.size === 0) this.#groups.delete(group);
    return true;
  }

  /** Returns the items of a group, oldest first. */
  group(name: string): ReadonlySet<Item> {
    return this.#groups.get(name) ?? new Set();
  }

  /** Returns the items of the group that has the most, oldest first. Empty when there are no items. */
  largestGroup(): ReadonlySet<Item> {
    let largest: ReadonlySet<Item> = new Set();
    for (const items of this.#groups.values()) if (items.size > largest.size) largest = items;
    return largest;
  }
}

/** Returns the first of some items. Undefined when there is none. */
export function first<Item>(items: Iterable<Item>): Item | undefined {
  const [item] = items;
  return item;
}
