/** Distinguished names: who a certificate is for and who issued it. */
import { UNPRINTABLE } from "../text/unprintable.ts";
import { DerReader, type DerValue, readOid, TAG } from "./der.ts";

/** A distinguished name. */
export interface Name {
  /** The bytes of the name, lower-case hexadecimal: two names are the same when these are. */
  readonly id: string;
  /** As RFC 4514 writes names, in the order of the certificate, control characters escaped. */
  readonly text: string;
  /** The values of the attribute CN, in order. */
  readonly commonNames: readonly string[];
  /** The values of the attribute O, in order. */
  readonly organizations: readonly string[];
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "1.2.840.113549.1.9.1": "emailAddress",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
};

/**
 * Reads a name.
 *
 * @throws {DerError} when the bytes are no name
 * @throws {TypeError} when a value is no text in the encoding that it claims
 */
export function readName({ bytes, whole }: DerValue): Name {
  const attributes: [string, string][] = [];
  const sets = new DerReader(bytes);
  while (!sets.isDone) {
    const set = sets.enter(TAG.SET);
    while (!set.isDone) {
      const attribute = set.enter(TAG.SEQUENCE);
      const oid = readOid(attribute.next(TAG.OBJECT_IDENTIFIER).bytes);
      attributes.push([SHORT_NAMES[oid] ?? oid, readText(attribute.next())]);
    }
  }
  const valuesOf = (wanted: string) => attributes.filter(([name]) => name === wanted).map(([, value]) => value);
  return {
    id: whole.toHex(),
    text: attributes.map(([name, value]) => `${name}=${escape(value)}`).join(", "),
    commonNames: valuesOf("CN"),
    organizations: valuesOf("O"),
  };
}

/** How each kind of string is encoded. A byte order mark is part of a name like any other character. */
const ENCODINGS: Readonly<Record<number, string>> = {
  0x0c: "utf-8",
  0x12: "latin1",
  0x13: "latin1",
  0x14: "latin1",
  0x16: "latin1",
  0x1a: "latin1",
  0x1e: "utf-16be",
};

function readText({ tag, bytes }: DerValue): string {
  const encoding = ENCODINGS[tag];
  // Anything else is no text that anybody could have meant as a name here.
  if (encoding === undefined) return `#${bytes.toHex()}`;
  return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** RFC 4514, section 2.4. A name from elsewhere may hold anything, and a terminal obeys control characters. */
function escape(value: string): string {
  const encoder = new TextEncoder();
  const pairs = (char: string) => [...encoder.encode(char)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`);
  return value
    .replace(/["+,;<>\\=]|^[ #]|(?<=.) $/gsu, "\\$&")
    .replace(UNPRINTABLE, (char) => pairs(char).join(""));
}
