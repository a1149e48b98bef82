/** Limits how much work runs at once. */

/**
 * Runs at most a number of pieces of work at once, in the order of the calls.
 *
 * @example
 * ```ts ignore
 * const work = new AtOnce(4);
 * await Promise.all(files.map((file) => work.run(() => copy(file)))); // four at a time
 * ```
 */
export class AtOnce {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param max the most pieces of work that run at once */
  constructor(max: number) {
    this.#max = max;
  }

  /** Runs a piece of work when it is its turn. Resolves as the work does. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
