/** Reads lists of revoked certificates (RFC 5280, section 5) and verifies who made them. */
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

/** One revoked certificate. */
export interface RevokedEntry {
  /** Who issued the certificate. */
  readonly issuer: Name;
  /** Upper-case hexadecimal, whole bytes, without leading zeros. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
  /** True when the entry itself names the issuer; else it is the maker of the list. */
  readonly isIssuerNamed: boolean;
}

/** A list whose signature was verified. */
export interface RevocationList {
  /** The authority that made the list. */
  readonly authority: Certificate;
  readonly entries: readonly RevokedEntry[];
  /** After this a newer list should be there; what this one says holds all the same. */
  readonly nextUpdate: Date;
  /** Grows with every list. 0 when the list has none. */
  readonly number: number;
}

/** Why a list cannot be used. */
export class RevocationListError extends Error {
  override readonly name = "RevocationListError";
}

/** 40 bytes each: a list of this many is read in a few hundred milliseconds. */
const MAX_ENTRIES = 100_000;

const CRL_NUMBER = "2.5.29.20";
const CERTIFICATE_ISSUER = "2.5.29.29";
/** What a list may hold without changing what its entries mean here. */
const KNOWN_EXTENSIONS = [CRL_NUMBER, "2.5.29.28", "2.5.29.35"];
const DELTA_INDICATOR = "2.5.29.27";

/**
 * Reads a list.
 *
 * @param der the list
 * @param authorities one of them must have made it
 * @throws {RevocationListError} when it is no list, nobody's here, too long, or only a part of one
 */
export function readRevocationList(der: Uint8Array<ArrayBuffer>, authorities: readonly Certificate[]): RevocationList {
  try {
    return read(der, authorities);
  } catch (cause) {
    if (cause instanceof RevocationListError) throw cause;
    throw new RevocationListError("is damaged", { cause });
  }
}

function read(der: Uint8Array<ArrayBuffer>, authorities: readonly Certificate[]): RevocationList {
  const { signed, signatureAlgorithm, signature, body } = readSigned(der);
  body.optional(TAG.INTEGER);
  body.next(TAG.SEQUENCE);
  const maker = readName(body.next(TAG.SEQUENCE));
  readTime(body.next());
  // RFC 5280 asks for it, and without it nobody notices that lists have ceased to come.
  if (!isTime(body.nextTag)) {
    throw new RevocationListError("does not say until when it holds (nextUpdate)");
  }
  const nextUpdate = readTime(body.next());
  const authority = authorities.filter(({ subject }) => subject.id === maker.id).find((candidate) =>
    verifySignature({ signed, signatureAlgorithm, signature }, candidate).kind === "valid"
  );
  if (authority === undefined) {
    throw new RevocationListError(
      `is not signed by an authority that is accepted here, but made by "${maker.text.slice(0, 200)}"`,
    );
  }
  const list = body.optional(TAG.SEQUENCE);
  const extensions = body.nextTag === constructed(0) ? body.enter(constructed(0)).enter(TAG.SEQUENCE) : undefined;
  return {
    authority,
    entries: list === undefined ? [] : readEntries(list, maker),
    nextUpdate,
    number: readNumber(extensions),
  };
}

function readEntries(list: DerValue, maker: Name): RevokedEntry[] {
  const entries: RevokedEntry[] = [];
  const reader = new DerReader(list.bytes);
  // In a list about several issuers an entry that names none has that of the entry before it (section 5.3.3).
  let [issuer, isIssuerNamed] = [maker, false];
  while (!reader.isDone) {
    if (entries.length >= MAX_ENTRIES) throw new RevocationListError(`has more than ${MAX_ENTRIES} entries`);
    const entry = reader.enter(TAG.SEQUENCE);
    const serial = entry.next(TAG.INTEGER).bytes;
    if (serial.length === 0 || serial.length > MAX_SERIAL_BYTES) {
      throw new RevocationListError(`has a serial number of ${serial.length} bytes, not of 1 to ${MAX_SERIAL_BYTES}`);
    }
    const serialNumber = canonicalSerial(serial.toHex());
    const revokedAt = readTime(entry.next());
    const named = entry.nextTag === TAG.SEQUENCE ? readIssuer(entry.enter(TAG.SEQUENCE)) : undefined;
    if (named !== undefined) [issuer, isIssuerNamed] = [named, true];
    entries.push({ issuer, serialNumber, revokedAt, isIssuerNamed });
  }
  return entries;
}

/** The issuer that an entry names. */
function readIssuer(extensions: DerReader): Name | undefined {
  let issuer: Name | undefined;
  while (!extensions.isDone) {
    const { oid, value } = readExtension(extensions);
    if (oid !== CERTIFICATE_ISSUER) continue;
    const names = value.enter(TAG.SEQUENCE);
    while (!names.isDone) {
      const name = names.next();
      // directoryName, which is explicit, for Name is a CHOICE.
      if (name.tag === constructed(4)) issuer = readName(new DerReader(name.bytes).next(TAG.SEQUENCE));
    }
    if (issuer === undefined) throw new RevocationListError("names an issuer in a form that is not supported");
  }
  return issuer;
}

function readNumber(extensions: DerReader | undefined): number {
  let number = 0;
  while (extensions?.isDone === false) {
    const { oid, isCritical, value } = readExtension(extensions);
    if (oid === DELTA_INDICATOR) throw new RevocationListError("is only a part of a list (delta): give the whole one");
    if (oid === CRL_NUMBER) number = readAnyInteger(value.next(TAG.INTEGER).bytes);
    else if (isCritical && !KNOWN_EXTENSIONS.includes(oid)) {
      throw new RevocationListError(`has an extension that is not supported: ${oid}`);
    } else if (oid === "2.5.29.28") checkScope(value);
  }
  return number;
}

/** RFC 5280, section 5.2.5: a list about some certificates or reasons only must not pass for a whole one. */
function checkScope(value: DerReader): void {
  const scope = value.enter(TAG.SEQUENCE);
  while (!scope.isDone) {
    const { tag } = scope.next();
    const isPlain = tag === constructed(0) || tag === primitive(4);
    if (!isPlain) throw new RevocationListError("is about some certificates only (issuingDistributionPoint)");
  }
}

function readExtension(extensions: DerReader): { oid: string; isCritical: boolean; value: DerReader } {
  const extension = extensions.enter(TAG.SEQUENCE);
  const oid = readOid(extension.next(TAG.OBJECT_IDENTIFIER).bytes);
  const isCritical = extension.optional(TAG.BOOLEAN)?.bytes[0] === 0xff;
  return { oid, isCritical, value: new DerReader(extension.next(TAG.OCTET_STRING).bytes) };
}

/** Some number their lists by the time, in up to 20 bytes. What is too large to count on is cut, not refused. */
function readAnyInteger(bytes: Uint8Array): number {
  return bytes.length <= 4
    ? readSmallInteger(bytes)
    : Math.min(Number(`0x${bytes.toHex()}`), Number.MAX_SAFE_INTEGER - 1);
}

function isTime(tag: number | undefined): boolean {
  return tag === TAG.UTC_TIME || tag === TAG.GENERALIZED_TIME;
}
