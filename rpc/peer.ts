/** Who is at the other end of a connection: the certificate it proved to hold. */
import { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "../proto/service.ts";

/** What else is known of a certificate, for the one question that its data does not answer. */
const originals = new WeakMap<PeerCertificate, X509Certificate>();

/**
 * Reads a certificate that TLS has verified.
 *
 * @param der The certificate in DER, as TLS gives it
 */
export function readCertificate(der: Uint8Array): PeerCertificate {
  const certificate = new X509Certificate(der);
  // Not the text in `subject`: a name in it may hold a line break, and would read as a further name.
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>;
  const read: PeerCertificate = {
    commonNames: list(subject["CN"]),
    organizations: list(subject["O"]),
    isAuthority: certificate.ca,
    serialNumber: wholeBytes(certificate.serialNumber),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    notAfter: new Date(certificate.validTo),
  };
  originals.set(read, certificate);
  return read;
}

/**
 * True when this authority itself has signed the certificate. Chains are not followed: with an authority below another,
 * the lower one is the one to believe.
 */
export function issuedBy(certificate: PeerCertificate, authority: X509Certificate): boolean {
  const original = originals.get(certificate);
  try {
    return original !== undefined && original.verify(authority.publicKey);
  } catch {
    // A key of another kind cannot even be asked.
    return false;
  }
}

function list(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : [...value];
}

/** Two digits a byte, as openssl writes it; Deno leaves a leading zero out. */
function wholeBytes(hexadecimal: string): string {
  return hexadecimal.length % 2 === 0 ? hexadecimal : `0${hexadecimal}`;
}
