/** A bounded share of connections, in which the group with the most makes room. */

/** Keeps items in groups, such as connections by address, oldest first. */
export class FairShare<Item> {
  readonly #groups = new Map<string, Set<Item>>();
  readonly #groupOf = new Map<Item, string>();
  /** How many items it may hold. The owner makes room before it adds. */
  readonly max: number;

  /** @param max How many items it may hold */
  constructor(max: number) {
    this.max = max;
  }

  /** How many items there are. */
  get size(): number {
    return this.#groupOf.size;
  }

  get isFull(): boolean {
    return this.size >= this.max;
  }

  /** All items, oldest first. */
  items(): Iterable<Item> {
    return this.#groupOf.keys();
  }

  add(item: Item, group: string): void {
    this.#groupOf.set(item, group);
    const items = this.#groups.get(group);
    if (items === undefined) this.#groups.set(group, new Set([item]));
    else items.add(item);
  }

  /** Returns whether the item was there. */
  delete(item: Item): boolean {
    const group = this.#groupOf.get(item);
    if (group === undefined) return false;
    this.#groupOf.delete(item);
    const items = this.#groups.get(group);
    items?.delete(item);
    if (items?.size === 0) this.#groups.delete(group);
    return true;
  }

  /** The items of a group, oldest first. */
  group(group: string): ReadonlySet<Item> {
    return this.#groups.get(group) ?? new Set();
  }

  /** The items of the group that has the most, oldest first. Whoever has many loses before one who has few. */
  largestGroup(): ReadonlySet<Item> {
    let largest: ReadonlySet<Item> = new Set();
    for (const items of this.#groups.values()) if (items.size > largest.size) largest = items;
    return largest;
  }
}
