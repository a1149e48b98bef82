/** Reads what a certificate says. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { CertificateError } from "./errors.ts";
import type { Validity } from "./lifetime.ts";

/** What a certificate says. */
export interface CertificateDetails extends Validity {
  /** Common names of the subject, in order. */
  readonly commonNames: readonly string[];
  /** Organizations of the subject, in order. */
  readonly organizations: readonly string[];
  /** Names and addresses it covers, in order. */
  readonly hosts: readonly string[];
  /** True when it may sign others (basicConstraints CA). */
  readonly isAuthority: boolean;
  /** Which side of a TLS connection it may stand on. */
  readonly usages: readonly ("server" | "client")[];
  /** Such as "P-256" or "Ed25519". */
  readonly keyAlgorithm: string;
  /** Upper-case hexadecimal, no separators. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate, lower-case hexadecimal, no separators. */
  readonly fingerprint: string;
}

/**
 * Reads a certificate in PEM. It says nothing about whether the certificate is to be trusted.
 *
 * @throws {CertificateError} `UNUSABLE` when the text is no certificate.
 */
export async function inspectCertificate(pem: string): Promise<CertificateDetails> {
  const certificate = parseCertificate(pem);
  const usages = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  const fingerprint = await certificate.getThumbprint("SHA-256");
  return {
    commonNames: certificate.subjectName.getField("CN"),
    organizations: certificate.subjectName.getField("O"),
    hosts: certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items.map((name) => name.value) ?? [],
    isAuthority: certificate.getExtension(x509.BasicConstraintsExtension)?.ca ?? false,
    usages: [
      ...(usages.includes(x509.ExtendedKeyUsage.serverAuth) ? ["server" as const] : []),
      ...(usages.includes(x509.ExtendedKeyUsage.clientAuth) ? ["client" as const] : []),
    ],
    keyAlgorithm: keyAlgorithm(certificate.publicKey.algorithm),
    serialNumber: certificate.serialNumber.toUpperCase(),
    fingerprint: new Uint8Array(fingerprint).toHex(),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}

/**
 * Parses a certificate in PEM.
 *
 * @throws {CertificateError} `UNUSABLE` when the text is no certificate.
 */
export function parseCertificate(pem: string): x509.X509Certificate {
  try {
    return new x509.X509Certificate(x509.PemConverter.decodeFirst(pem));
  } catch (cause) {
    throw new CertificateError("UNUSABLE", 'The text is no certificate: give one in PEM, from "BEGIN CERTIFICATE" on', {
      cause,
    });
  }
}

/** The certificates in a text, each as PEM (RFC 7468): an authority's file holds two while one follows the other. */
export function splitCertificates(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}

/** True when one of these authorities itself has signed the certificate. */
export async function isSignedBy(pem: string, authorities: string): Promise<boolean> {
  const certificate = parseCertificate(pem);
  for (const authority of splitCertificates(authorities)) {
    const { publicKey } = parseCertificate(authority);
    // A key of another kind cannot even be asked.
    if (await certificate.verify({ publicKey, signatureOnly: true }).catch(() => false)) return true;
  }
  return false;
}

function keyAlgorithm(algorithm: Algorithm): string {
  return "namedCurve" in algorithm ? String(algorithm.namedCurve) : algorithm.name;
}
