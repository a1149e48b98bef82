/** Who is at the other end of a connection: the certificate it proved to hold. */
import { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "../proto/service.ts";

/**
 * Reads a certificate that TLS has verified.
 *
 * @param der The certificate in DER, as TLS gives it
 */
export function readCertificate(der: Uint8Array): PeerCertificate {
  const certificate = new X509Certificate(der);
  // Not the text in `subject`: a name in it may hold a line break, and would read as a further name.
  const subject = certificate.toLegacyObject().subject as unknown as Record<string, string | string[] | undefined>;
  return {
    commonNames: list(subject["CN"]),
    organizations: list(subject["O"]),
    isAuthority: certificate.ca,
    serialNumber: wholeBytes(certificate.serialNumber),
    fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
    notAfter: new Date(certificate.validTo),
  };
}

function list(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : [...value];
}

/** Two digits a byte, as openssl writes it; Deno leaves a leading zero out. */
function wholeBytes(hexadecimal: string): string {
  return hexadecimal.length % 2 === 0 ? hexadecimal : `0${hexadecimal}`;
}
