/** Reads distinguished names, which are the subjects and issuers of certificates. */
import { UNPRINTABLE } from "../text/unprintable.ts";
import { DerReader, type DerValue, readOid, TAG } from "./der.ts";

/** A distinguished name. */
export interface Name {
  /** The bytes of the name in lower-case hexadecimal. Equal names have equal bytes. */
  readonly id: string;
  /** The name in the form of RFC 4514, in the order of the certificate, with escaped control characters. */
  readonly text: string;
  /** The CN attributes, in order. */
  readonly commonNames: readonly string[];
  /** The O attributes, in order. */
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
 * @throws {DerError} when the bytes are not a name
 * @throws {TypeError} when a value is not valid text in its encoding
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

/** The encodings of string types. A byte order mark is part of the name. */
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
  // Other types are shown as hexadecimal, as in RFC 4514.
  if (encoding === undefined) return `#${bytes.toHex()}`;
  return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Escapes a value (RFC 4514, section 2.4), and its control characters, because terminals obey them. */
function escape(value: string): string {
  const encoder = new TextEncoder();
  const pairs = (char: string) => [...encoder.encode(char)].map((byte) => `\\${byte.toString(16).padStart(2, "0")}`);
  return value
    .replace(/["+,;<>\\=]|^[ #]|(?<=.) $/gsu, "\\$&")
    .replace(UNPRINTABLE, (char) => pairs(char).join(""));
}
