/** The keys that leave a terminal: docker's sequence, and ssh's `~.` at the beginning of a line. */
import { UsageError } from "../../units/usage_error.ts";

/** The keys of docker. */
export const DEFAULT_DETACH_KEYS = "ctrl-p,ctrl-q";

/** The most keys of a sequence. */
const MAX_KEYS = 16;

const TILDE = 0x7e;
const DOT = 0x2e;

/**
 * Parses a sequence of keys: single characters, or ctrl- with a letter or one of `@ [ \ ] ^ _`, separated by commas.
 *
 * @returns the bytes of the keys; none for "none"
 * @throws {UsageError} for any other text
 */
export function parseDetachKeys(text: string): Uint8Array {
  if (text === "none") return new Uint8Array();
  const keys = text.split(",").map(keyByte);
  if (keys.length > MAX_KEYS || keys.some((key) => key === undefined)) {
    throw new UsageError(
      `Invalid keys "${text}" for --detach-keys: give up to ${MAX_KEYS} keys such as ctrl-p,ctrl-q or ctrl-a,d, or none`,
    );
  }
  return new Uint8Array(keys as number[]);
}

function keyByte(key: string): number | undefined {
  const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 0x40;
  return /^[!-~]$/.test(key) ? key.charCodeAt(0) : undefined;
}

/** Describes keys for people: `Ctrl-P Ctrl-Q`. */
export function detachKeysText(keys: Uint8Array): string {
  const name = (key: number) => key < 0x20 ? `Ctrl-${String.fromCharCode(key + 0x40)}` : String.fromCharCode(key);
  return [...keys].map(name).join(" ");
}

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
