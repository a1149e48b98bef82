/** Random numbers that a seed repeats, and the seed of a test. */

/** The generator mulberry32, which is small and good enough to mix inputs. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Gives a number from 0 to 1, excluding 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ mixed >>> 15, mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 0x1_0000_0000;
  }

  /** Gives an integer from 0 to the limit, excluding the limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Gives true with this probability, from 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** Gives one of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Gives a number of random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.below(256);
    return bytes;
  }
}

/** Gives a fresh seed. */
export function newSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/**
 * Gives the seed of a random test, and prints it. The variable TELEPORT_TEST_SEED repeats the run of a failure.
 *
 * @param test a short name of the test
 */
export function seedFor(test: string): number {
  const given = Deno.env.get("TELEPORT_TEST_SEED");
  const seed = given === undefined ? newSeed() : Number(given);
  console.log(`${test}: repeat this run with TELEPORT_TEST_SEED=${seed}`);
  return seed;
}

const filler = new Random(1);

/** Gives bytes for a test that does not look at them. They differ from call to call, and are the same in each run. */
export function someBytes(length: number): Uint8Array<ArrayBuffer> {
  return filler.bytes(length);
}
