/** Finds the keys that leave a terminal: docker's sequence, and ssh's `~.` at the beginning of a line. */

const TILDE = 0x7e;
const DOT = 0x2e;

/** The result of a filtered chunk. */
export interface FilteredKeys {
  /** The keys for the job. */
  readonly data: Uint8Array;
  /** True when the user wants to leave. Later keys do not count. */
  readonly isLeaving: boolean;
}

/**
 * Takes the keys that leave out of what is typed. It keeps the beginning of a sequence until the next key shows what it
 * is, however long that takes. `~~` at the beginning of a line gives one `~`.
 */
export class DetachFilter {
  readonly #keys: Uint8Array;
  /** The number of keys of the sequence that were typed and are kept. */
  #matched = 0;
  #isAtLineStart = true;
  /** True after a `~` at the beginning of a line, which is kept. */
  #hasTilde = false;
  #isLeaving = false;

  /** @param keys the sequence, not empty */
  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** Filters a chunk of keys. A sequence may be cut anywhere by the ends of chunks. */
  filter(chunk: Uint8Array): FilteredKeys {
    const data: number[] = [];
    for (const byte of chunk) {
      if (this.#isLeaving) break;
      this.#receive(byte, data);
    }
    return { data: new Uint8Array(data), isLeaving: this.#isLeaving };
  }

  /** Returns the kept keys. Nothing more will be typed. */
  end(): Uint8Array {
    const data = [...this.#keys.subarray(0, this.#matched), ...(this.#hasTilde ? [TILDE] : [])];
    this.#matched = 0;
    this.#hasTilde = false;
    return new Uint8Array(this.#isLeaving ? [] : data);
  }

  #receive(byte: number, data: number[]): void {
    if (this.#hasTilde) {
      this.#hasTilde = false;
      if (byte === DOT) {
        this.#isLeaving = true;
        return;
      }
      this.#match(TILDE, data);
      if (byte === TILDE) return;
    } else if (byte === TILDE && this.#isAtLineStart) {
      this.#isAtLineStart = false;
      this.#hasTilde = true;
      return;
    }
    this.#isAtLineStart = byte === 0x0d || byte === 0x0a;
    this.#match(byte, data);
  }

  /** Compares with the sequence. On a difference, the longest end of what was kept that begins the sequence stays. */
  #match(byte: number, data: number[]): void {
    let kept = [...this.#keys.subarray(0, this.#matched), byte];
    while (kept.some((key, index) => key !== this.#keys[index])) {
      data.push(kept[0]!);
      kept = kept.slice(1);
    }
    this.#matched = kept.length;
    if (this.#matched === this.#keys.length) this.#isLeaving = true;
  }
}
