/** Verifies certificate chains, for the server, the client and the certificate tool. */
import type { Certificate } from "./certificate.ts";
import {
  authorityFault,
  dateFault,
  describeCertificate,
  formFault,
  purposeFault,
  reject,
  type RejectedChain,
  unknownAuthority,
} from "./chain_faults.ts";
import type { Purpose } from "./purpose.ts";
import { verifySignature } from "./signature.ts";

/** A chain that leads to a trusted authority. */
export interface TrustedChain {
  readonly isTrusted: true;
  /** The certificates from the leaf to the authority. */
  readonly path: readonly Certificate[];
  /** The time from which every certificate of the path is valid, in milliseconds since 1970. */
  readonly fromMs: number;
  /** The time until which every certificate of the path is valid, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** The most authorities between the leaf and the trusted one, as in TLS. */
const MAX_INTERMEDIATES = 6;

/** The most signatures to verify for one chain, at 0.1 ms each. It bounds the work that a stranger can cause. */
const MAX_SIGNATURES = 16;

/**
 * Verifies a chain: dates, signatures, the right to sign, path lengths and purpose.
 *
 * @param chain the leaf, then the certificates that came with it, in any order
 * @param authorities the trusted certificates
 * @param nowMs the current time, in milliseconds since 1970
 *
 * @example
 * ```ts ignore
 * const verdict = verifyChain([leaf, intermediate], authorities, "client");
 * if (!verdict.isTrusted) throw new Error(verdict.reason);
 * ```
 */
export function verifyChain(
  chain: readonly Certificate[],
  authorities: readonly Certificate[],
  purpose: Purpose,
  nowMs: number = Date.now(),
): TrustedChain | RejectedChain {
  const [leaf, ...others] = chain;
  if (leaf === undefined) throw new RangeError("'chain' must have a certificate, got none");
  const fault = leafFault(leaf, authorities, purpose) ?? dateFault(leaf, nowMs);
  if (fault !== undefined) return fault;
  const search: Search = { authorities, others, purpose, nowMs, signaturesLeft: MAX_SIGNATURES };
  return findPath([leaf], search) ?? search.rejection ?? unknownAuthority(leaf);
}

interface Search {
  readonly authorities: readonly Certificate[];
  readonly others: readonly Certificate[];
  readonly purpose: Purpose;
  readonly nowMs: number;
  signaturesLeft: number;
  /** The first reason why a path failed. */
  rejection?: RejectedChain;
}

/** Finds a path from the last of these certificates to an authority. */
function findPath(path: readonly Certificate[], search: Search): TrustedChain | undefined {
  const last = path.at(-1)!;
  if (search.authorities.some(({ fingerprint }) => fingerprint === last.fingerprint)) return trusted(path);
  const isIssuer = (other: Certificate) => other.subject.id === last.issuer.id;
  for (const issuer of [...search.authorities.filter(isIssuer), ...search.others.filter(isIssuer)]) {
    if (path.some(({ fingerprint }) => fingerprint === issuer.fingerprint)) continue;
    const fault = linkFault(last, issuer, path.length - 1, search);
    if (fault !== undefined) search.rejection ??= fault;
    const found = fault === undefined ? findPath([...path, issuer], search) : undefined;
    if (found !== undefined) return found;
  }
  if (path.length > 1) search.rejection ??= unknownAuthority(last);
  return undefined;
}

function trusted(path: readonly Certificate[]): TrustedChain {
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
  // A trusted certificate may also be the leaf, such as that of a server that signed its own.
  const isKnown = authorities.some(({ fingerprint }) => fingerprint === leaf.fingerprint);
  if (isAuthority && !isKnown) {
    return reject("WRONG_USE", leaf, `${describeCertificate(leaf)} is one of an authority, not of a ${purpose}`);
  }
  // An authority has no such key usage. For it, the purpose is the better reason.
  if (keyUsages?.has("digitalSignature") === false && !isAuthority) {
    return reject("WRONG_USE", leaf, `${describeCertificate(leaf)} may not sign handshakes (key usage)`);
  }
  return purposeFault(leaf, purpose);
}

/** Returns the fault of the step from a certificate to its issuer. */
function linkFault(
  certificate: Certificate,
  issuer: Certificate,
  intermediates: number,
  search: Search,
): RejectedChain | undefined {
  const fault = authorityFault(issuer) ?? dateFault(issuer, search.nowMs);
  if (fault !== undefined) return fault;
  if (!search.authorities.includes(issuer)) {
    const rejection = formFault(issuer) ?? purposeFault(issuer, search.purpose);
    if (rejection !== undefined) return rejection;
  }
  const { maxPathLength = MAX_INTERMEDIATES } = issuer;
  if (intermediates > Math.min(maxPathLength, MAX_INTERMEDIATES)) {
    const reason = `${describeCertificate(issuer)} allows ${maxPathLength} authorities below it, got ${intermediates}`;
    return reject("PATH_TOO_LONG", issuer, reason);
  }
  const subject = describeCertificate(certificate);
  if (search.signaturesLeft-- <= 0) {
    return reject("NOT_JUDGED", certificate, `${subject} has too many possible issuers`);
  }
  const verdict = verifySignature(certificate, issuer);
  if (verdict.kind === "valid") return undefined;
  if (verdict.kind === "unknown") {
    return reject("NOT_JUDGED", certificate, `${subject} cannot be verified: ${verdict.reason}`);
  }
  const issuerName = issuer.subject.text.slice(0, 200);
  return reject(
    "BAD_SIGNATURE",
    certificate,
    `${subject} is not signed by the authority of that name, "${issuerName}"`,
  );
}
