/** The list of revoked certificates: a CRL of the authority (RFC 5280, section 5), read and made. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import type { Authority } from "./authority.ts";
import { CertificateError } from "./errors.ts";
import { readSigningKey } from "./key_kind.ts";

/** One revoked certificate. */
export interface Revocation {
  /** Upper-case hexadecimal, whole bytes. */
  readonly serialNumber: string;
  readonly revokedAt: Date;
}

/** A list whose signature was verified. */
export interface Revocations {
  readonly revoked: readonly Revocation[];
  /** After this a newer one should be there; what this one says holds all the same. */
  readonly nextUpdate: Date;
  /** Grows with every list. */
  readonly number: number;
}

/** 50 bytes each: a list of this many is read in half a second, and no authority here has made so many. */
const MAX_REVOKED = 100_000;

const CRL_NUMBER = "2.5.29.20";

/** How RFC 7468, section 6, labels a list; the package's own label is one that openssl does not know. */
const LABEL = "X509 CRL";

/**
 * Reads a list and verifies that one of these authorities has signed it.
 *
 * @param pem The list, "BEGIN X509 CRL"
 * @param authorities Certificates in PEM, one or more in each text
 * @throws {CertificateError} `UNUSABLE` when it is no list, nobody's here, or too long.
 */
export async function readRevocations(pem: string, authorities: string): Promise<Revocations> {
  try {
    return await read(pem, authorities);
  } catch (cause) {
    // The package parses parts only when they are asked for, and throws what it meets there.
    throw cause instanceof CertificateError ? cause : unusable("cannot be read, or the authorities cannot", cause);
  }
}

async function read(pem: string, authorities: string): Promise<Revocations> {
  let list: x509.X509Crl;
  try {
    const [first, ...others] = x509.PemConverter.decodeWithHeaders(pem);
    if (first === undefined || others.length > 0 || !/^(X509 )?CRL$/.test(first.type)) throw new Error("not one list");
    list = new x509.X509Crl(first.rawData);
  } catch (cause) {
    throw unusable("is not one list in PEM", cause);
  }
  // RFC 5280 asks for it; without it the package reads every list as an empty one.
  const { nextUpdate } = list;
  if (nextUpdate === undefined) throw unusable("does not say until when it holds (nextUpdate)");
  if (!(await signedByOne(list, authorities))) throw unusable("is not signed by an authority that is accepted here");
  if (list.entries.length > MAX_REVOKED) throw unusable(`has more than ${MAX_REVOKED} entries`);
  return {
    revoked: list.entries.map(({ serialNumber, revocationDate }) => ({
      serialNumber: canonicalSerial(serialNumber),
      revokedAt: revocationDate,
    })),
    nextUpdate,
    number: numberOf(list),
  };
}

/** Makes a list, signed by the authority and good until that ends. */
export async function makeRevocations(
  revoked: readonly Revocation[],
  authority: Authority,
  options: { readonly number: number; readonly now: Date },
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const { key, algorithm } = await readSigningKey(authority.key);
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.subjectName,
    thisUpdate: options.now,
    nextUpdate: authority.notAfter,
    entries: revoked.map(({ serialNumber, revokedAt }) => ({ serialNumber, revocationDate: revokedAt })),
    signingKey: key,
    // The type asks for a hash, which Ed25519 has not.
    signingAlgorithm: algorithm as EcdsaParams,
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new x509.Extension(CRL_NUMBER, false, derInteger(options.number)),
    ],
  });
  return `${x509.PemConverter.encode(list.rawData, LABEL)}\n`;
}

/** Upper case and whole bytes, as everywhere here; some write serial numbers without a leading zero, or with several. */
export function canonicalSerial(serialNumber: string): string {
  const digits = serialNumber.toUpperCase().replace(/^0+(?=.)/, "");
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

async function signedByOne(list: x509.X509Crl, authorities: string): Promise<boolean> {
  for (const der of x509.PemConverter.decode(authorities)) {
    const { publicKey } = new x509.X509Certificate(der);
    // A key of another kind cannot even be asked.
    if (await list.verify({ publicKey }).catch(() => false)) return true;
  }
  return false;
}

function numberOf(list: x509.X509Crl): number {
  const der = list.getExtension(CRL_NUMBER)?.value;
  return der === undefined ? 0 : new Uint8Array(der).subarray(2).reduce((number, byte) => number * 256 + byte, 0);
}

/** A number as DER has it (X.690, section 8.3), for numbers below 2^53. */
function derInteger(number: number): Uint8Array<ArrayBuffer> {
  const digits = number.toString(16);
  const bytes = [...Uint8Array.fromHex(digits.length % 2 === 0 ? digits : `0${digits}`)];
  if ((bytes[0] ?? 0) >= 0x80) bytes.unshift(0);
  return new Uint8Array([2, bytes.length, ...bytes]);
}

function unusable(what: string, cause?: unknown): CertificateError {
  return new CertificateError(
    "UNUSABLE",
    `The list of revoked certificates ${what}: restore "ca.crl", or make it anew by revoking a certificate`,
    { cause },
  );
}
