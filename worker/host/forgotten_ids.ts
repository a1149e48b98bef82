/** Remembers the ids of jobs that a host has forgotten, so that a start that arrives too late starts nothing. */

/** Enough for the starts of half a minute at the highest rate. A start is late only while its connection is replaced. */
const MAX_IDS = 10_000;

/** The ids that were forgotten last. */
export class ForgottenIds {
  /** The oldest first. */
  readonly #ids = new Set<string>();

  add(id: string): void {
    this.#ids.add(id);
    if (this.#ids.size <= MAX_IDS) return;
    const [oldest = ""] = this.#ids;
    this.#ids.delete(oldest);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }
}
