/** The one judge of certificate chains, for both sides of a connection. */
import type { Certificate } from "./certificate.ts";
import { keyFault, keyName, verifySignature } from "./signature.ts";

/** Which side of a connection the last certificate stands on. */
export type Purpose = "server" | "client";

/**
 * Why a chain is not believed.
 *
 * - `ENDED`, `NOT_YET_VALID`: a certificate of it is out of its dates
 * - `UNKNOWN_AUTHORITY`: it leads to no authority that is believed
 * - `BAD_SIGNATURE`: the issuer that a certificate names has not signed it
 * - `NOT_AUTHORITY`: what has signed a certificate may not sign any
 * - `PATH_TOO_LONG`: an authority allows fewer authorities below it
 * - `WRONG_USE`: the certificate is for another use
 * - `NOT_JUDGED`: it has something that cannot be judged here
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

/** A chain that is believed. */
export interface TrustedChain {
  readonly isTrusted: true;
  /** From the last certificate to the authority. */
  readonly path: readonly Certificate[];
  /** The times between which every certificate of the path is valid, in milliseconds since 1970. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A chain that is not. */
export interface RejectedChain {
  readonly isTrusted: false;
  readonly fault: ChainFault;
  /** The certificate with the fault. */
  readonly certificate: Certificate;
  /** Which certificate and why, as words that can stand in a sentence. */
  readonly reason: string;
}

/** The object identifier of each purpose (RFC 5280, section 4.2.1.12). */
export const PURPOSE: Readonly<Record<Purpose, string>> = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };

/** Authorities between the first and the last certificate. TLS follows no more either. */
const MAX_INTERMEDIATES = 6;

/** A chain from a stranger must not cost more than this many signatures, 0.1 ms each. */
const MAX_SIGNATURES = 16;

/**
 * Judges a chain: the dates of every certificate, signatures, who may sign, for how long a path, and for which use.
 *
 * @param chain the last certificate first, then those that came with it, in any order
 * @param authorities the certificates that are believed by themselves
 */
export function verifyChain(
  chain: readonly Certificate[],
  authorities: readonly Certificate[],
  purpose: Purpose,
  nowMs: number = Date.now(),
): TrustedChain | RejectedChain {
  const [leaf, ...others] = chain;
  if (leaf === undefined) throw new RangeError("'chain' must hold a certificate, got none");
  const fault = leafFault(leaf, authorities, purpose) ?? dateFault(leaf, nowMs);
  if (fault !== undefined) return fault;
  const search: Search = { authorities, others, purpose, nowMs, signaturesLeft: MAX_SIGNATURES };
  const found = follow([leaf], search);
  if (found !== undefined) return found;
  return search.refusal ?? unknownAuthority(leaf);
}

/** Why a certificate is out of its dates. Undefined when it is not. */
export function dateFault(certificate: Certificate, nowMs: number): RejectedChain | undefined {
  const { notBefore, notAfter } = certificate;
  if (nowMs > notAfter.getTime()) {
    return refused(
      "ENDED",
      certificate,
      `${describeCertificate(certificate)} ended on "${notAfter.toISOString().slice(0, 10)}"`,
    );
  }
  if (nowMs >= notBefore.getTime()) return undefined;
  const clock = new Date(nowMs).toISOString();
  const reason = `${describeCertificate(certificate)} is not valid before "${
    instant(notBefore)
  }", and the clock says "${clock}"`;
  return refused("NOT_YET_VALID", certificate, reason);
}

/** Why an authority's certificate could not be the end of any chain, apart from its dates. Undefined when it could. */
export function authorityFault(authority: Certificate): RejectedChain | undefined {
  const { isAuthority, keyUsages, unknownExtensions } = authority;
  if (!isAuthority) {
    return refused("NOT_AUTHORITY", authority, `${describeCertificate(authority)} is not one of an authority`);
  }
  if (keyUsages?.has("keyCertSign") === false) {
    return refused(
      "NOT_AUTHORITY",
      authority,
      `${describeCertificate(authority)} may not sign certificates (key usage)`,
    );
  }
  const key = keyFault(authority);
  if (key !== undefined) return refused("NOT_JUDGED", authority, `${describeCertificate(authority)} has ${key}`);
  if (unknownExtensions.length > 0) return unjudged(authority);
  // How it has signed itself is how it signs others.
  const own = authority.subject.id === authority.issuer.id && keyName(authority) === "P-521"
    ? verifySignature(authority, authority)
    : undefined;
  if (own?.kind !== "unknown") return undefined;
  return refused("NOT_JUDGED", authority, `${describeCertificate(authority)} cannot be judged: ${own.reason}`);
}

/** The first letter of a reason as a sentence begins. */
export function capitalized(reason: string): string {
  return reason.charAt(0).toUpperCase() + reason.slice(1);
}

/** A certificate as an error names it. */
export function describeCertificate({ subject, serialNumber }: Certificate): string {
  return `the certificate "${subject.text.slice(0, 200)}" with serial number ${serialNumber}`;
}

interface Search {
  readonly authorities: readonly Certificate[];
  readonly others: readonly Certificate[];
  readonly purpose: Purpose;
  readonly nowMs: number;
  signaturesLeft: number;
  /** The first reason why a path came to nothing. */
  refusal?: RejectedChain;
}

/** Finds a path from the last of these certificates to an authority. */
function follow(path: readonly Certificate[], search: Search): TrustedChain | undefined {
  const last = path.at(-1)!;
  const isSame = (other: Certificate) => other.fingerprint === last.fingerprint;
  if (search.authorities.some(isSame)) return believed(path);
  const isIssuer = (other: Certificate) => other.subject.id === last.issuer.id;
  for (const issuer of [...search.authorities.filter(isIssuer), ...search.others.filter(isIssuer)]) {
    if (path.some((earlier) => earlier.fingerprint === issuer.fingerprint)) continue;
    const fault = linkFault(last, issuer, path.length - 1, search);
    if (fault !== undefined) search.refusal ??= fault;
    const found = fault === undefined ? follow([...path, issuer], search) : undefined;
    if (found !== undefined) return found;
  }
  if (path.length > 1) search.refusal ??= unknownAuthority(last);
  return undefined;
}

function believed(path: readonly Certificate[]): TrustedChain {
  return {
    isTrusted: true,
    path,
    fromMs: Math.max(...path.map(({ notBefore }) => notBefore.getTime())),
    untilMs: Math.min(...path.map(({ notAfter }) => notAfter.getTime())),
  };
}

function leafFault(
  leaf: Certificate,
  authorities: readonly Certificate[],
  purpose: Purpose,
): RejectedChain | undefined {
  const { keyUsages, isAuthority } = leaf;
  const fault = formFault(leaf);
  if (fault !== undefined) return fault;
  // One that is believed by itself may stand at the end too, as the certificate of a server that signed itself does.
  const isKnown = authorities.some(({ fingerprint }) => fingerprint === leaf.fingerprint);
  if (isAuthority && !isKnown) {
    return refused("WRONG_USE", leaf, `${describeCertificate(leaf)} is one of an authority, not of a ${purpose}`);
  }
  // An authority's own certificate signs no handshakes in its key usage; whose it is says why it is refused.
  if (keyUsages?.has("digitalSignature") === false && !isAuthority) {
    return refused("WRONG_USE", leaf, `${describeCertificate(leaf)} may not sign handshakes (key usage)`);
  }
  return purposeFault(leaf, purpose);
}

/** Why a certificate that is not believed by itself has a form that TLS refuses, or that cannot be judged here. */
export function formFault(certificate: Certificate): RejectedChain | undefined {
  const { version, notBefore, unknownExtensions } = certificate;
  if (version !== 3) {
    const reason = `${
      describeCertificate(certificate)
    } has the X.509 version ${version}, and TLS takes version 3 alone`;
    return refused("NOT_JUDGED", certificate, reason);
  }
  if (notBefore.getTime() < 0) {
    const reason = `${
      describeCertificate(certificate)
    } begins in ${notBefore.getUTCFullYear()}, and TLS takes no dates before 1970`;
    return refused("NOT_JUDGED", certificate, reason);
  }
  return unknownExtensions.length > 0 ? unjudged(certificate) : undefined;
}

function purposeFault(certificate: Certificate, purpose: Purpose): RejectedChain | undefined {
  if (certificate.purposes?.includes(PURPOSE[purpose]) ?? true) return undefined;
  return refused(
    "WRONG_USE",
    certificate,
    `${describeCertificate(certificate)} is not one for a ${purpose} (extended key usage)`,
  );
}

/** Why an issuer does not let a certificate be believed. */
function linkFault(
  certificate: Certificate,
  issuer: Certificate,
  intermediates: number,
  search: Search,
): RejectedChain | undefined {
  const isBelieved = search.authorities.includes(issuer);
  const fault = authorityFault(issuer) ?? dateFault(issuer, search.nowMs);
  if (fault !== undefined) return fault;
  if (!isBelieved) {
    const refusal = formFault(issuer) ?? purposeFault(issuer, search.purpose);
    if (refusal !== undefined) return refusal;
  }
  const { maxPathLength = MAX_INTERMEDIATES } = issuer;
  if (intermediates > Math.min(maxPathLength, MAX_INTERMEDIATES)) {
    const reason = `${
      describeCertificate(issuer)
    } allows ${maxPathLength} authorities below it, and there are ${intermediates}`;
    return refused("PATH_TOO_LONG", issuer, reason);
  }
  if (search.signaturesLeft-- <= 0) {
    return refused("NOT_JUDGED", certificate, `${describeCertificate(certificate)} has too many possible issuers`);
  }
  const verdict = verifySignature(certificate, issuer);
  if (verdict.kind === "valid") return undefined;
  if (verdict.kind === "unknown") {
    return refused(
      "NOT_JUDGED",
      certificate,
      `${describeCertificate(certificate)} cannot be judged: ${verdict.reason}`,
    );
  }
  const reason = `${describeCertificate(certificate)} is not signed by the authority of that name, "${
    issuer.subject.text.slice(0, 200)
  }"`;
  return refused("BAD_SIGNATURE", certificate, reason);
}

function unknownAuthority(certificate: Certificate): RejectedChain {
  const reason = `${describeCertificate(certificate)} is issued by "${
    certificate.issuer.text.slice(0, 200)
  }", which is no authority accepted here`;
  return refused("UNKNOWN_AUTHORITY", certificate, reason);
}

function unjudged(certificate: Certificate): RejectedChain {
  const what = certificate.unknownExtensions.map((oid) => EXTENSION_NAMES[oid] ?? oid).join(", ");
  return refused(
    "NOT_JUDGED",
    certificate,
    `${describeCertificate(certificate)} has extensions that are not supported: ${what}`,
  );
}

const EXTENSION_NAMES: Readonly<Record<string, string>> = {
  "2.5.29.18": "issuer alternative name",
  "2.5.29.30": "name constraints",
  "2.5.29.31": "CRL distribution points",
  "2.5.29.32": "certificate policies",
  "2.5.29.36": "policy constraints",
  "2.5.29.54": "inhibit any policy",
};

function refused(fault: ChainFault, certificate: Certificate, reason: string): RejectedChain {
  return { isTrusted: false, fault, certificate, reason };
}

function instant(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}
