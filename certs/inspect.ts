/** Reads what a certificate says. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { type Certificate, readCertificate } from "../trust/certificate.ts";
import { PURPOSE } from "../trust/chain.ts";
import { certificatesDer } from "../trust/pem.ts";
import { keyName, verifySignature } from "../trust/signature.ts";
import { CertificateError } from "./errors.ts";
import type { Validity } from "./lifetime.ts";

/** What a certificate says. */
export interface CertificateDetails extends Validity {
  /** Common names of the subject, in order. */
  readonly commonNames: readonly string[];
  /** Organizations of the subject, in order. */
  readonly organizations: readonly string[];
  /** The name of what issued it, as RFC 4514 writes names. */
  readonly issuer: string;
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
export function inspectCertificate(pem: string): Promise<CertificateDetails> {
  return Promise.try(() => detailsOf(firstCertificate(pem)));
}

/** What a certificate says, for people. */
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
 * The certificates of a text in PEM, in order.
 *
 * @throws {CertificateError} `UNUSABLE` when there is none or one is damaged.
 */
export function certificatesOf(pem: string): [Certificate, ...Certificate[]] {
  try {
    const [first, ...others] = certificatesDer(pem).map(readCertificate);
    if (first === undefined) throw new Error("there is no block of that kind");
    return [first, ...others];
  } catch (cause) {
    throw new CertificateError("UNUSABLE", 'The text is no certificate: give one in PEM, from "BEGIN CERTIFICATE" on', {
      cause,
    });
  }
}

/** The first certificate of a text in PEM. */
export function firstCertificate(pem: string): Certificate {
  return certificatesOf(pem)[0];
}

/**
 * Parses a certificate in PEM as the package wants it that makes certificates.
 *
 * @throws {CertificateError} `UNUSABLE` when the text is no certificate.
 */
export function parseCertificate(pem: string): x509.X509Certificate {
  return new x509.X509Certificate(firstCertificate(pem).der);
}

export { splitCertificates } from "../trust/pem.ts";

/** True when one of these authorities itself has signed the certificate. */
export function isSignedBy(pem: string, authorities: string): boolean {
  const certificate = firstCertificate(pem);
  return certificatesOf(authorities).some((authority) => verifySignature(certificate, authority).kind === "valid");
}
