/** Reads DER (X.690). Every value must end inside the value that contains it. */

/** The tags that certificates use. */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OBJECT_IDENTIFIER: 0x06,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** Returns the tag of a context-specific value that contains other values. */
export function constructed(number: number): number {
  return 0xa0 | number;
}

/** Returns the tag of a context-specific value without other values. */
export function primitive(number: number): number {
  return 0x80 | number;
}

/** The bytes are not the expected DER. */
export class DerError extends Error {
  override readonly name = "DerError";
}

/** A DER value. */
export interface DerValue {
  readonly tag: number;
  /** The contents, without tag and length. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The contents with tag and length. */
  readonly whole: Uint8Array<ArrayBuffer>;
}

/** Reads the values of a sequence of bytes in order. */
export class DerReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #offset = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** True when all values are read. */
  get isDone(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** The tag of the next value. Undefined when all values are read. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /**
   * Reads the next value.
   *
   * @param tag the expected tag; absent for any
   * @throws {DerError} when the value is missing, has another tag, or ends after its container
   */
  next(tag?: number): DerValue {
    const start = this.#offset;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f) throw new DerError("Cannot read DER: a tag has more than one byte");
    if (tag !== undefined && found !== tag) throw new DerError(`Cannot read DER: the tag must be ${tag}, got ${found}`);
    const length = this.#length();
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new DerError("Cannot read DER: a value is cut off");
    const bytes = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return { tag: found, bytes, whole: this.#bytes.subarray(start, end) };
  }

  /** Reads the next value when it has this tag. Undefined otherwise. */
  optional(tag: number): DerValue | undefined {
    return this.nextTag === tag ? this.next() : undefined;
  }

  /** Returns a reader of the contents of the next value, which must have this tag. */
  enter(tag: number): DerReader {
    return new DerReader(this.next(tag).bytes);
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset++];
    if (byte === undefined) throw new DerError("Cannot read DER: a value is missing");
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    // DER has no indefinite lengths, and four bytes are enough for every certificate.
    if (count === 0 || count > 4) throw new DerError("Cannot read DER: a length has an unknown form");
    let length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + this.#byte();
    return length;
  }
}

/** The common form of certificates, requests and revocation lists (RFC 5280, section 4.1.1). */
export interface SignedParts {
  /** The signed bytes. */
  readonly signed: Uint8Array<ArrayBuffer>;
  readonly signatureAlgorithm: DerValue;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** A reader of the signed bytes. */
  readonly body: DerReader;
}

/**
 * Reads the outer form of a certificate, request or list.
 *
 * @throws {DerError} when the bytes have another form
 */
export function readSigned(der: Uint8Array<ArrayBuffer>): SignedParts {
  const outer = new DerReader(der).enter(TAG.SEQUENCE);
  const { whole, bytes } = outer.next(TAG.SEQUENCE);
  const signatureAlgorithm = outer.next(TAG.SEQUENCE);
  const signature = outer.next(TAG.BIT_STRING).bytes.subarray(1);
  return { signed: whole, signatureAlgorithm, signature, body: new DerReader(bytes) };
}

/** Reads an object identifier. Returns its dotted form. */
export function readOid(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) !== 0) continue;
    if (numbers.length === 0) {
      numbers.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    } else numbers.push(value);
    value = 0;
  }
  return numbers.join(".");
}

/** Reads an integer from 0 to 2^31 - 1, such as a length. */
export function readSmallInteger(bytes: Uint8Array): number {
  if (bytes.length === 0 || bytes.length > 4 || bytes[0]! >= 0x80) {
    throw new DerError("Cannot read DER: a number is negative or too large");
  }
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Reads a time of a certificate (RFC 5280, section 4.1.2.5). */
export function readTime({ tag, bytes }: DerValue): Date {
  const text = new TextDecoder("latin1").decode(bytes);
  const form = tag === TAG.UTC_TIME
    ? /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
    : tag === TAG.GENERALIZED_TIME
    ? /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/
    : undefined;
  const parts = form?.exec(text)?.slice(1).map(Number);
  if (parts === undefined) throw new DerError("Cannot read DER: a time has an unknown form");
  const [year = 0, month = 1, day, hour, minute, second] = parts;
  const fullYear = tag === TAG.UTC_TIME ? year + (year < 50 ? 2000 : 1900) : year;
  const date = new Date(0);
  date.setUTCFullYear(fullYear, month - 1, day);
  date.setUTCHours(hour!, minute, second);
  // Date changes a day that does not exist, such as 30 February, to another one.
  const isSame = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute && date.getUTCSeconds() === second;
  if (!isSame) throw new DerError("Cannot read DER: a time does not exist");
  return date;
}
