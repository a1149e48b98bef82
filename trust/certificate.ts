/** Reads the parts of a certificate (RFC 5280) that chain verification needs. */
import { createHash } from "node:crypto";
import {
  constructed,
  DerReader,
  type DerValue,
  primitive,
  readOid,
  readSigned,
  readSmallInteger,
  readTime,
  TAG,
} from "./der.ts";
import { type Name, readName } from "./name.ts";

/** The contents of a certificate, which is not verified. */
export interface Certificate {
  readonly der: Uint8Array<ArrayBuffer>;
  /** The SHA-256 of the certificate in lower-case hexadecimal. */
  readonly fingerprint: string;
  /** The X.509 version. TLS accepts only version 3, except for trusted authorities. */
  readonly version: number;
  readonly subject: Name;
  readonly issuer: Name;
  /** The serial number in upper-case hexadecimal, whole bytes, without leading zeros. */
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The public key in DER (SubjectPublicKeyInfo). */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** True when it may sign other certificates (basicConstraints CA). */
  readonly isAuthority: boolean;
  /** The most authorities between it and the leaf. Absent: any number. */
  readonly maxPathLength?: number;
  /** The allowed uses of the key. Absent: every use. */
  readonly keyUsages?: ReadonlySet<KeyUsage>;
  /** The DNS names and IP addresses, in order and in their usual form. */
  readonly hosts: readonly string[];
  /** The allowed purposes as object identifiers. Absent: every purpose. */
  readonly purposes?: readonly string[];
  /** The identifier of its key in lower-case hexadecimal. Absent when the certificate has none. */
  readonly subjectKeyIdentifier?: string;
  /** The object identifiers of critical extensions that this code does not support. */
  readonly unknownExtensions: readonly string[];
  /** The signed bytes. */
  readonly signed: Uint8Array<ArrayBuffer>;
  /** The signature algorithm in DER. */
  readonly signatureAlgorithm: DerValue;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** The uses of a key that chain verification needs. */
export type KeyUsage = "digitalSignature" | "keyCertSign";

/** The bits of the extension (RFC 5280, section 4.2.1.3). */
const KEY_USAGE_BITS: readonly (readonly [KeyUsage, number])[] = [["digitalSignature", 0x80], ["keyCertSign", 0x04]];

const EXTENSION = {
  SUBJECT_KEY_IDENTIFIER: "2.5.29.14",
  KEY_USAGE: "2.5.29.15",
  SUBJECT_ALTERNATIVE_NAME: "2.5.29.17",
  BASIC_CONSTRAINTS: "2.5.29.19",
  EXTENDED_KEY_USAGE: "2.5.29.37",
} as const;

/** Name constraints. They are never ignored, even when a certificate marks them as not critical. */
const NAME_CONSTRAINTS = "2.5.29.30";

/** The contents of the extensions. */
interface Extensions {
  isAuthority: boolean;
  maxPathLength?: number;
  keyUsages?: ReadonlySet<KeyUsage>;
  purposes?: readonly string[];
  subjectKeyIdentifier?: string;
  hosts: string[];
  unknownExtensions: string[];
}

/**
 * Reads a certificate.
 *
 * @throws {DerError} when the bytes are not a certificate
 * @throws {TypeError} when a name is not valid text in its encoding
 */
export function readCertificate(der: Uint8Array<ArrayBuffer>): Certificate {
  const { signed, signatureAlgorithm, signature, body } = readSigned(der);
  const version = body.nextTag === constructed(0)
    ? readSmallInteger(body.enter(constructed(0)).next(TAG.INTEGER).bytes) + 1
    : 1;
  const serialNumber = serialText(body.next(TAG.INTEGER).bytes);
  body.next(TAG.SEQUENCE);
  const issuer = readName(body.next(TAG.SEQUENCE));
  const validity = body.enter(TAG.SEQUENCE);
  const notBefore = readTime(validity.next());
  const notAfter = readTime(validity.next());
  const subject = readName(body.next(TAG.SEQUENCE));
  const publicKey = body.next(TAG.SEQUENCE).whole;
  body.optional(primitive(1));
  body.optional(primitive(2));
  const extensions = body.nextTag === constructed(3) ? readExtensions(body.enter(constructed(3))) : noExtensions();
  return {
    der,
    fingerprint: createHash("sha256").update(der).digest("hex"),
    version,
    subject,
    issuer,
    serialNumber,
    notBefore,
    notAfter,
    publicKey,
    ...extensions,
    signed,
    signatureAlgorithm,
    signature,
  };
}

/** The longest serial number, in bytes. RFC 5280 allows 20, but TLS accepts more. */
export const MAX_SERIAL_BYTES = 64;

/** Formats a serial number: upper case, whole bytes, no leading zeros. */
export function canonicalSerial(serialNumber: string): string {
  const digits = serialNumber.toUpperCase().replace(/^0+(?=.)/, "");
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

function serialText(bytes: Uint8Array): string {
  return canonicalSerial(bytes.toHex());
}

function noExtensions(): Extensions {
  return { isAuthority: false, hosts: [], unknownExtensions: [] };
}

function readExtensions(outer: DerReader): Extensions {
  const read = noExtensions();
  const list = outer.enter(TAG.SEQUENCE);
  while (!list.isDone) {
    const extension = list.enter(TAG.SEQUENCE);
    const oid = readOid(extension.next(TAG.OBJECT_IDENTIFIER).bytes);
    const isCritical = extension.optional(TAG.BOOLEAN)?.bytes[0] === 0xff;
    const value = new DerReader(extension.next(TAG.OCTET_STRING).bytes);
    if (oid === EXTENSION.BASIC_CONSTRAINTS) readBasicConstraints(value, read);
    else if (oid === EXTENSION.KEY_USAGE) read.keyUsages = readKeyUsages(value);
    else if (oid === EXTENSION.EXTENDED_KEY_USAGE) read.purposes = readPurposes(value);
    else if (oid === EXTENSION.SUBJECT_KEY_IDENTIFIER) {
      read.subjectKeyIdentifier = value.next(TAG.OCTET_STRING).bytes.toHex();
    } else if (oid === EXTENSION.SUBJECT_ALTERNATIVE_NAME) {
      read.hosts = readHosts(value);
    } else if (oid === NAME_CONSTRAINTS || isCritical) {
      read.unknownExtensions.push(oid);
    }
  }
  return read;
}

function readBasicConstraints(value: DerReader, read: Extensions): void {
  const constraints = value.enter(TAG.SEQUENCE);
  read.isAuthority = constraints.optional(TAG.BOOLEAN)?.bytes[0] === 0xff;
  const length = constraints.optional(TAG.INTEGER);
  if (length !== undefined) read.maxPathLength = readSmallInteger(length.bytes);
}

/** Reads DNS names and IP addresses, and ignores other kinds, such as e-mail addresses. */
function readHosts(value: DerReader): string[] {
  const hosts: string[] = [];
  const names = value.enter(TAG.SEQUENCE);
  while (!names.isDone) {
    const { tag, bytes } = names.next();
    if (tag === primitive(2)) hosts.push(new TextDecoder("latin1").decode(bytes));
    if (tag === primitive(7)) hosts.push(addressText(bytes));
  }
  return hosts;
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = bytes.toHex().match(/.{4}/g)?.join(":") ?? "";
  // The URL parser returns the form of RFC 5952.
  return URL.parse(`http://[${groups}]`)?.hostname.slice(1, -1) ?? `#${bytes.toHex()}`;
}

function readKeyUsages(value: DerReader): ReadonlySet<KeyUsage> {
  const [, bits = 0] = value.next(TAG.BIT_STRING).bytes;
  return new Set(KEY_USAGE_BITS.filter(([, bit]) => (bits & bit) !== 0).map(([usage]) => usage));
}

function readPurposes(value: DerReader): string[] {
  const purposes: string[] = [];
  const list = value.enter(TAG.SEQUENCE);
  while (!list.isDone) purposes.push(readOid(list.next(TAG.OBJECT_IDENTIFIER).bytes));
  return purposes;
}
