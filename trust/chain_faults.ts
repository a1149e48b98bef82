/** The faults of single certificates of a chain, each with its reason in words. */
import type { Certificate } from "./certificate.ts";
import { PURPOSE, type Purpose } from "./purpose.ts";
import { keyFault, keyName, verifySignature } from "./signature.ts";

/**
 * The fault of a chain.
 *
 * - `ENDED`, `NOT_YET_VALID`: the time is outside the dates of a certificate
 * - `UNKNOWN_AUTHORITY`: the chain does not lead to a trusted authority
 * - `BAD_SIGNATURE`: the named issuer did not sign a certificate
 * - `NOT_AUTHORITY`: an issuer may not sign certificates
 * - `PATH_TOO_LONG`: an authority allows fewer authorities below it
 * - `WRONG_USE`: the certificate is for another use
 * - `NOT_JUDGED`: a certificate has a part that this code does not support
 */
export type ChainFault =
  | "ENDED"
  | "NOT_YET_VALID"
  | "UNKNOWN_AUTHORITY"
  | "BAD_SIGNATURE"
  | "NOT_AUTHORITY"
  | "PATH_TOO_LONG"
  | "WRONG_USE"
  | "NOT_JUDGED";

/** A chain that is not trusted. */
export interface RejectedChain {
  readonly isTrusted: false;
  readonly fault: ChainFault;
  /** The certificate with the fault. */
  readonly certificate: Certificate;
  /** The certificate and its fault, as a clause without a capital letter. */
  readonly reason: string;
}

/** Creates the verdict about a certificate with a fault. */
export function reject(fault: ChainFault, certificate: Certificate, reason: string): RejectedChain {
  return { isTrusted: false, fault, certificate, reason };
}

/** Returns the fault of the dates of a certificate. Undefined when it is valid now. */
export function dateFault(certificate: Certificate, nowMs: number): RejectedChain | undefined {
  const { notBefore, notAfter } = certificate;
  const subject = describeCertificate(certificate);
  if (nowMs > notAfter.getTime()) {
    return reject("ENDED", certificate, `${subject} ended on "${notAfter.toISOString().slice(0, 10)}"`);
  }
  if (nowMs >= notBefore.getTime()) return undefined;
  const [start, now] = [formatSeconds(notBefore), new Date(nowMs).toISOString()];
  return reject("NOT_YET_VALID", certificate, `${subject} is not valid before "${start}", and the clock says "${now}"`);
}

/** Returns the fault that an authority has in every chain, except for dates. Undefined when it has none. */
export function authorityFault(authority: Certificate): RejectedChain | undefined {
  const { isAuthority, keyUsages, unknownExtensions } = authority;
  const subject = describeCertificate(authority);
  if (!isAuthority) return reject("NOT_AUTHORITY", authority, `${subject} is not one of an authority`);
  if (keyUsages?.has("keyCertSign") === false) {
    return reject("NOT_AUTHORITY", authority, `${subject} may not sign certificates (key usage)`);
  }
  const key = keyFault(authority);
  if (key !== undefined) return reject("NOT_JUDGED", authority, `${subject} has ${key}`);
  if (unknownExtensions.length > 0) return unsupportedExtensions(authority);
  // An authority signs other certificates with the same hash as its own.
  const own = authority.subject.id === authority.issuer.id && keyName(authority) === "P-521"
    ? verifySignature(authority, authority)
    : undefined;
  if (own?.kind !== "unknown") return undefined;
  return reject("NOT_JUDGED", authority, `${subject} cannot be verified: ${own.reason}`);
}

/** Returns the fault of a form that TLS refuses or this code does not support. Not for trusted authorities. */
export function formFault(certificate: Certificate): RejectedChain | undefined {
  const { version, notBefore, unknownExtensions } = certificate;
  const subject = describeCertificate(certificate);
  if (version !== 3) {
    const reason = `${subject} has the X.509 version ${version}, and TLS accepts only version 3`;
    return reject("NOT_JUDGED", certificate, reason);
  }
  if (notBefore.getTime() < 0) {
    const reason = `${subject} begins in ${notBefore.getUTCFullYear()}, and TLS accepts no dates before 1970`;
    return reject("NOT_JUDGED", certificate, reason);
  }
  return unknownExtensions.length > 0 ? unsupportedExtensions(certificate) : undefined;
}

/** Returns the fault of a certificate for another purpose. */
export function purposeFault(certificate: Certificate, purpose: Purpose): RejectedChain | undefined {
  if (certificate.purposes?.includes(PURPOSE[purpose]) ?? true) return undefined;
  const reason = `${describeCertificate(certificate)} is not one for a ${purpose} (extended key usage)`;
  return reject("WRONG_USE", certificate, reason);
}

/** Returns the fault of a certificate whose issuer is unknown. */
export function unknownAuthority(certificate: Certificate): RejectedChain {
  const issuerName = certificate.issuer.text.slice(0, 200);
  const subject = describeCertificate(certificate);
  const reason = `${subject} is issued by "${issuerName}", which is not an accepted authority`;
  return reject("UNKNOWN_AUTHORITY", certificate, reason);
}

function unsupportedExtensions(certificate: Certificate): RejectedChain {
  const names = certificate.unknownExtensions.map((oid) => EXTENSION_NAMES[oid] ?? oid).join(", ");
  const reason = `${describeCertificate(certificate)} has extensions that are not supported: ${names}`;
  return reject("NOT_JUDGED", certificate, reason);
}

const EXTENSION_NAMES: Readonly<Record<string, string>> = {
  "2.5.29.18": "issuer alternative name",
  "2.5.29.30": "name constraints",
  "2.5.29.31": "CRL distribution points",
  "2.5.29.32": "certificate policies",
  "2.5.29.36": "policy constraints",
  "2.5.29.54": "inhibit any policy",
};

/** Returns the subject and serial number of a certificate, for errors. */
export function describeCertificate({ subject, serialNumber }: Certificate): string {
  return `the certificate "${subject.text.slice(0, 200)}" with serial number ${serialNumber}`;
}

/** Returns a reason as the start of a sentence. */
export function capitalized(reason: string): string {
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}

function formatSeconds(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}
