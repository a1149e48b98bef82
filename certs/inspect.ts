/** Reads the contents of certificates. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { defined } from "../base/defined.ts";
import { type Certificate, readCertificate } from "../trust/certificate.ts";
import { PURPOSE } from "../trust/purpose.ts";
import { certificatesDer } from "../trust/pem.ts";
import { keyName, verifySignature } from "../trust/signature.ts";
import { CertificateError } from "./errors.ts";
import type { Validity } from "./lifetime.ts";

/** The contents of a certificate. */
export interface CertificateDetails extends Validity {
  /** The CN attributes of the subject, in order. */
  readonly commonNames: readonly string[];
  /** The O attributes of the subject, in order. */
  readonly organizations: readonly string[];
  /** The name of the issuer (RFC 4514). */
  readonly issuer: string;
  /** The DNS names and IP addresses, in order. */
  readonly hosts: readonly string[];
  /** True when it may sign other certificates (basicConstraints CA). */
  readonly isAuthority: boolean;
  /** The sides of a TLS connection for which it is valid. */
  readonly usages: readonly ("server" | "client")[];
  /** The kind of key, such as "P-256" or "Ed25519". */
  readonly keyAlgorithm: string;
  /** The serial number in upper-case hexadecimal, without separators. */
  readonly serialNumber: string;
  /** The SHA-256 in lower-case hexadecimal, without separators. */
  readonly fingerprint: string;
}

/**
 * Reads a certificate in PEM. It does not verify the certificate.
 *
 * @throws {CertificateError} `UNUSABLE` when the text has no valid certificate
 */
export function inspectCertificate(pem: string): Promise<CertificateDetails> {
  return Promise.try(() => detailsOf(firstCertificate(pem)));
}

/** Returns the contents of a certificate. */
export function detailsOf(certificate: Certificate): CertificateDetails {
  const { subject, issuer, hosts, purposes = [], isAuthority, serialNumber, fingerprint } = certificate;
  return {
    commonNames: subject.commonNames,
    organizations: subject.organizations,
    issuer: issuer.text,
    hosts,
    isAuthority,
    usages: [
      ...(purposes.includes(PURPOSE.server) ? ["server" as const] : []),
      ...(purposes.includes(PURPOSE.client) ? ["client" as const] : []),
    ],
    keyAlgorithm: keyName(certificate),
    serialNumber,
    fingerprint,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}

/**
 * Reads the certificates of a text in PEM, in order.
 *
 * @param path the file of the text, for the error. Absent: the text is not from a file
 * @throws {CertificateError} `UNUSABLE` when the text has no certificate, or one is damaged
 */
export function certificatesOf(pem: string, path?: string): [Certificate, ...Certificate[]] {
  try {
    const [first, ...others] = certificatesDer(pem).map(readCertificate);
    if (first === undefined) throw new Error("The text has no certificate block");
    return [first, ...others];
  } catch (cause) {
    throw new CertificateError(
      "UNUSABLE",
      `Cannot read the certificate${path === undefined ? "" : ` in "${path}"`}: ` +
        'the text must be PEM, beginning with "BEGIN CERTIFICATE"',
      { cause, ...defined({ path }) },
    );
  }
}

/** Reads the first certificate of a text in PEM. */
export function firstCertificate(pem: string, path?: string): Certificate {
  return certificatesOf(pem, path)[0];
}

/**
 * Reads a certificate in PEM for the X.509 package.
 *
 * @throws {CertificateError} `UNUSABLE` when the text has no valid certificate
 */
export function parseCertificate(pem: string): x509.X509Certificate {
  return new x509.X509Certificate(firstCertificate(pem).der);
}

/** Returns true when one of these authorities signed the certificate directly. */
export function isSignedBy(pem: string, authorities: string): boolean {
  const certificate = firstCertificate(pem);
  return certificatesOf(authorities).some((authority) => verifySignature(certificate, authority).kind === "valid");
}
