/** Reads revocation lists (RFC 5280, section 5) and verifies their signatures. */
import type { Certificate } from "./certificate.ts";
import { canonicalSerial, MAX_SERIAL_BYTES } from "./certificate.ts";
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
import { verifySignature } from "./signature.ts";

/** A revoked certificate. */
export interface RevokedEntry {
  /** The issuer of the certificate. */
  readonly issuer: Name;
  /** The serial number in upper-case hexadecimal, whole bytes, without leading zeros. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
  /** True when the entry names the issuer; false when it is the authority of the list. */
  readonly isIssuerNamed: boolean;
}

/** A verified list. */
export interface RevocationList {
  /** The authority that signed the list. */
  readonly authority: Certificate;
  readonly entries: readonly RevokedEntry[];
  /** The time by which a newer list should exist. The entries stay valid after it. */
  readonly nextUpdate: Date;
  /** The number of the list, which grows with every list. 0 when absent. */
  readonly number: number;
}

/** A list that cannot be used. The message is a clause, such as "it is damaged". */
export class RevocationListError extends Error {
  override readonly name = "RevocationListError";
}

/** The most entries. A list with this number is read in a few hundred milliseconds. */
const MAX_ENTRIES = 100_000;

const CRL_NUMBER = "2.5.29.20";
const CERTIFICATE_ISSUER = "2.5.29.29";
/** The extensions that do not change the meaning of entries here. */
const KNOWN_EXTENSIONS = [CRL_NUMBER, "2.5.29.28", "2.5.29.35"];
const DELTA_INDICATOR = "2.5.29.27";

/**
 * Reads a list, and verifies its signature.
 *
 * @param der the list in DER
 * @param authorities the authorities, one of which must have signed it
 * @throws {RevocationListError} when the list is damaged, not signed by an authority, too long, or partial
 */
export function readRevocationList(der: Uint8Array<ArrayBuffer>, authorities: readonly Certificate[]): RevocationList {
  try {
    return read(der, authorities);
  } catch (cause) {
    if (cause instanceof RevocationListError) throw cause;
    throw new RevocationListError("it is damaged", { cause });
  }
}

function read(der: Uint8Array<ArrayBuffer>, authorities: readonly Certificate[]): RevocationList {
  const { signed, signatureAlgorithm, signature, body } = readSigned(der);
  body.optional(TAG.INTEGER);
  body.next(TAG.SEQUENCE);
  const signer = readName(body.next(TAG.SEQUENCE));
  readTime(body.next());
  // RFC 5280 requires it. Without it, nobody notices when new lists stop to arrive.
  if (!isTime(body.nextTag)) {
    throw new RevocationListError("it has no nextUpdate");
  }
  const nextUpdate = readTime(body.next());
  const authority = authorities.filter(({ subject }) => subject.id === signer.id).find((candidate) =>
    verifySignature({ signed, signatureAlgorithm, signature }, candidate).kind === "valid"
  );
  if (authority === undefined) {
    throw new RevocationListError(
      `it is signed by "${signer.text.slice(0, 200)}", which is not an accepted authority`,
    );
  }
  const list = body.optional(TAG.SEQUENCE);
  const extensions = body.nextTag === constructed(0) ? body.enter(constructed(0)).enter(TAG.SEQUENCE) : undefined;
  return {
    authority,
    entries: list === undefined ? [] : readEntries(list, signer),
    nextUpdate,
    number: readNumber(extensions),
  };
}

function readEntries(list: DerValue, signer: Name): RevokedEntry[] {
  const entries: RevokedEntry[] = [];
  const reader = new DerReader(list.bytes);
  // An entry without an issuer has the issuer of the entry before it (section 5.3.3).
  let [issuer, isIssuerNamed] = [signer, false];
  while (!reader.isDone) {
    if (entries.length >= MAX_ENTRIES) throw new RevocationListError(`it has more than ${MAX_ENTRIES} entries`);
    const entry = reader.enter(TAG.SEQUENCE);
    const serial = entry.next(TAG.INTEGER).bytes;
    if (serial.length === 0 || serial.length > MAX_SERIAL_BYTES) {
      throw new RevocationListError(`a serial number has ${serial.length} bytes, not 1 to ${MAX_SERIAL_BYTES}`);
    }
    const serialNumber = canonicalSerial(serial.toHex());
    const revokedAt = readTime(entry.next());
    const named = entry.nextTag === TAG.SEQUENCE ? readIssuer(entry.enter(TAG.SEQUENCE)) : undefined;
    if (named !== undefined) [issuer, isIssuerNamed] = [named, true];
    entries.push({ issuer, serialNumber, revokedAt, isIssuerNamed });
  }
  return entries;
}

/** Reads the issuer that an entry names. */
function readIssuer(extensions: DerReader): Name | undefined {
  let issuer: Name | undefined;
  while (!extensions.isDone) {
    const { oid, value } = readExtension(extensions);
    if (oid !== CERTIFICATE_ISSUER) continue;
    const names = value.enter(TAG.SEQUENCE);
    while (!names.isDone) {
      const name = names.next();
      // directoryName. The tag is explicit, because Name is a CHOICE.
      if (name.tag === constructed(4)) issuer = readName(new DerReader(name.bytes).next(TAG.SEQUENCE));
    }
    if (issuer === undefined) throw new RevocationListError("an entry names its issuer in an unsupported form");
  }
  return issuer;
}

function readNumber(extensions: DerReader | undefined): number {
  let number = 0;
  while (extensions?.isDone === false) {
    const { oid, isCritical, value } = readExtension(extensions);
    if (oid === DELTA_INDICATOR) throw new RevocationListError("it is a delta list: give the complete list");
    if (oid === CRL_NUMBER) number = readAnyInteger(value.next(TAG.INTEGER).bytes);
    else if (isCritical && !KNOWN_EXTENSIONS.includes(oid)) {
      throw new RevocationListError(`its extension ${oid} is not supported`);
    } else if (oid === "2.5.29.28") checkScope(value);
  }
  return number;
}

/** Refuses a list about some certificates or reasons only (RFC 5280, section 5.2.5). */
function checkScope(value: DerReader): void {
  const scope = value.enter(TAG.SEQUENCE);
  while (!scope.isDone) {
    const { tag } = scope.next();
    const isPlain = tag === constructed(0) || tag === primitive(4);
    if (!isPlain) throw new RevocationListError("it covers only some certificates (issuingDistributionPoint)");
  }
}

function readExtension(extensions: DerReader): { oid: string; isCritical: boolean; value: DerReader } {
  const extension = extensions.enter(TAG.SEQUENCE);
  const oid = readOid(extension.next(TAG.OBJECT_IDENTIFIER).bytes);
  const isCritical = extension.optional(TAG.BOOLEAN)?.bytes[0] === 0xff;
  return { oid, isCritical, value: new DerReader(extension.next(TAG.OCTET_STRING).bytes) };
}

/** Reads a number of up to 20 bytes, as some authorities use. Reduces a number that is too large. */
function readAnyInteger(bytes: Uint8Array): number {
  return bytes.length <= 4
    ? readSmallInteger(bytes)
    : Math.min(Number(`0x${bytes.toHex()}`), Number.MAX_SAFE_INTEGER - 1);
}

function isTime(tag: number | undefined): boolean {
  return tag === TAG.UTC_TIME || tag === TAG.GENERALIZED_TIME;
}
