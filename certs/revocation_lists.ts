/** Reads and creates revocation lists (RFC 5280, section 5). */
import { Buffer } from "node:buffer";
import { createPrivateKey, sign } from "node:crypto";
import { type Certificate, readCertificate } from "../trust/certificate.ts";
import type { Name } from "../trust/name.ts";
import { certificatesDer, formatPem, parsePem } from "../trust/pem.ts";
import { readRevocationList, type RevocationList, RevocationListError } from "../trust/revocation_list.ts";
import type { Authority } from "./authority.ts";
import { derExtension, derInteger, derOid, derTime, derValue } from "./der_writer.ts";
import { CertificateError } from "./errors.ts";

/** A revoked certificate. */
export interface Revocation {
  /** The issuer. Serial numbers are unique for one issuer only. */
  readonly issuer: Name;
  /** The serial number in upper-case hexadecimal, whole bytes. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
}

/** The contents of one or more verified lists. */
export interface RevocationLists {
  readonly revoked: readonly Revocation[];
  /** The time by which a newer list should exist. The entries stay valid after it. */
  readonly nextUpdate: Date;
  /** The number of the list, which grows with every list. */
  readonly number: number;
}

/** The PEM label (RFC 7468, section 6). */
const LABEL = "X509 CRL";
const LABELS = [LABEL, "CRL"];

/** The most lists of one file: one for each authority. */
const MAX_LISTS = 16;

/**
 * Reads one or more lists, and verifies their signatures.
 *
 * @param pem the lists in PEM, "X509 CRL"
 * @param authorities the certificates of the authorities in PEM
 * @throws {CertificateError} `UNUSABLE` when a list is damaged, too long, or not signed by one of the authorities
 */
export function readRevocationLists(pem: string, authorities: string): RevocationLists {
  const blocks = parsePem(pem);
  if (blocks.length === 0 || blocks.length > MAX_LISTS || !blocks.every(({ label }) => LABELS.includes(label))) {
    throw unusable(`it must have 1 to ${MAX_LISTS} lists in PEM and nothing else`);
  }
  const known = certificatesDer(authorities).map(readCertificate);
  try {
    const lists = blocks.map(({ der }) => readRevocationList(der, known));
    return {
      revoked: lists.flatMap((list) => revokedBy(list, known)),
      nextUpdate: new Date(Math.min(...lists.map(({ nextUpdate }) => nextUpdate.getTime()))),
      number: Math.max(...lists.map(({ number }) => number)),
    };
  } catch (cause) {
    if (!(cause instanceof RevocationListError)) throw cause;
    throw unusable(cause.message, cause);
  }
}

/** The form of the names of authorities of this tool, and of its serial numbers with 126 random bits. */
const OWN_NAME = /^CN=teleport CA [0-9a-f]{8}$/;
const OWN_SERIAL = /^[4-7][0-9A-F]{31}$/;

/**
 * Returns the entries of a list. Before version 0.1, a renewed authority listed the certificates of the old one as its
 * own. If both are authorities of this tool, such an entry counts for both, because serial numbers are random.
 */
function revokedBy({ authority, entries }: RevocationList, known: readonly Certificate[]): Revocation[] {
  const isOwn = ({ subject }: Certificate) => OWN_NAME.test(subject.text);
  const siblings = isOwn(authority)
    ? known.filter((other) => isOwn(other) && other.subject.id !== authority.subject.id)
    : [];
  return entries.flatMap(({ issuer, serialNumber, revokedAt, isIssuerNamed }) => {
    const isOfEither = !isIssuerNamed && OWN_SERIAL.test(serialNumber);
    const issuers = [issuer, ...(isOfEither ? siblings.map(({ subject }) => subject) : [])];
    return issuers.map((one) => ({ issuer: one, serialNumber, revokedAt }));
  });
}

const OID = {
  AUTHORITY_KEY_IDENTIFIER: "2.5.29.35",
  CRL_NUMBER: "2.5.29.20",
  ISSUING_DISTRIBUTION_POINT: "2.5.29.28",
  CERTIFICATE_ISSUER: "2.5.29.29",
  ECDSA_SHA256: "1.2.840.10045.4.3.2",
  ED25519: "1.3.101.112",
} as const;

/**
 * Creates a list that the authority signs, and that is valid until the authority ends. Entries of other issuers carry
 * the name of the issuer (RFC 5280, section 5.3.3), so a new authority can revoke certificates of the old one.
 */
export function createRevocationList(
  revoked: readonly Revocation[],
  authority: Authority,
  options: { readonly number: number; readonly now: Date },
): string {
  const [der] = certificatesDer(authority.certificate);
  const { subject, subjectKeyIdentifier } = readCertificate(der!);
  const key = createPrivateKey(authority.key);
  const isEd25519 = key.asymmetricKeyType === "ed25519";
  const algorithm = derValue(0x30, derOid(isEd25519 ? OID.ED25519 : OID.ECDSA_SHA256));
  const isForeign = ({ issuer }: Revocation) => issuer.id !== subject.id;
  // An entry without an issuer has the issuer of the entry before it.
  const sorted = [...revoked.filter((one) => !isForeign(one)), ...revoked.filter(isForeign)];
  const entries = sorted.map((one) => entryOf(one, isForeign(one)));
  const body = derValue(
    0x30,
    derInteger("01"),
    algorithm,
    Uint8Array.fromHex(subject.id),
    derTime(options.now),
    derTime(authority.notAfter),
    ...(entries.length === 0 ? [] : [derValue(0x30, ...entries)]),
    derValue(0xa0, derValue(0x30, ...extensionsOf(options.number, subjectKeyIdentifier, revoked.some(isForeign)))),
  );
  const signature = sign(isEd25519 ? null : "sha256", Buffer.from(body), key);
  return formatPem(LABEL, derValue(0x30, body, algorithm, derValue(0x03, new Uint8Array([0]), signature)));
}

function entryOf({ issuer, serialNumber, revokedAt }: Revocation, isForeign: boolean): Uint8Array {
  const names = derValue(0x30, derValue(0xa4, Uint8Array.fromHex(issuer.id)));
  const extensions = isForeign ? [derValue(0x30, derExtension(OID.CERTIFICATE_ISSUER, true, names))] : [];
  return derValue(0x30, derInteger(serialNumber), derTime(revokedAt), ...extensions);
}

function extensionsOf(number: number, keyIdentifier: string | undefined, isIndirect: boolean): Uint8Array[] {
  const indirect = derValue(0x30, derValue(0x84, new Uint8Array([0xff])));
  const keyName = keyIdentifier === undefined ? [] : [
    derExtension(
      OID.AUTHORITY_KEY_IDENTIFIER,
      false,
      derValue(0x30, derValue(0x80, Uint8Array.fromHex(keyIdentifier))),
    ),
  ];
  return [
    ...keyName,
    derExtension(OID.CRL_NUMBER, false, derInteger(number.toString(16))),
    ...(isIndirect ? [derExtension(OID.ISSUING_DISTRIBUTION_POINT, true, indirect)] : []),
  ];
}

function unusable(reason: string, cause?: unknown): CertificateError {
  return new CertificateError(
    "UNUSABLE",
    `Cannot use the revocation list: ${reason}; restore "ca.crl", or delete it and revoke the certificates again`,
    { cause },
  );
}
