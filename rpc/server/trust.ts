/** Whom a server believes now: the authorities it knows and the certificates that were revoked. Replaced while it serves. */
import { TeleportError } from "../../mod.ts";
import type { PeerCertificate } from "../../proto/service.ts";
import type { Certificate } from "../../trust/certificate.ts";
import {
  capitalized,
  describeCertificate,
  type RejectedChain,
  type TrustedChain,
  verifyChain,
} from "../../trust/chain.ts";
import { revocationKey } from "../../trust/revocation.ts";
import { readAuthorities } from "../shared/tls_credentials.ts";
import { chainOf } from "../shared/peer.ts";

/** Revoked certificates, each as {@linkcode revocationKey} writes its issuer and serial number. */
export type Revoked = ReadonlySet<string>;

/** What is known of a certificate as long as authorities and list stay the same. */
interface CachedJudgement {
  readonly judgedMs: number;
  readonly judgement: TrustedChain | RejectedChain;
  /** The certificate that is on the list: its own, or an authority's between it and the first. */
  readonly revoked?: Certificate;
}

/** A refused certificate is judged again after this: only time can change the answer. */
const REFUSAL_MS = 1_000;

/**
 * What a certificate must still be at every call, though TLS has verified it when the connection was made: connections
 * last for days, Deno's TLS looks at no revocation list, and at no date of a first authority.
 */
export class Trust {
  #authorities: readonly Certificate[] = [];
  #revoked: Revoked = new Set();
  /** Chains are judged once a certificate, set of authorities and list; a call then compares two times. */
  #known = new WeakMap<PeerCertificate, CachedJudgement>();

  constructor(ca: string, revoked: Revoked) {
    this.replace(ca, revoked);
  }

  /** Believes these from now on, and no others. */
  replace(ca: string, revoked: Revoked): void {
    this.#authorities = readAuthorities(ca);
    this.#revoked = revoked;
    this.#known = new WeakMap();
  }

  /**
   * Checks a certificate that TLS has verified at some time.
   *
   * @throws {TeleportError} `UNAUTHENTICATED` when it was revoked, has ended, or its authority is believed no more
   */
  check(certificate: PeerCertificate): void {
    const why = this.rejectionReason(certificate);
    if (why !== undefined) throw new TeleportError("UNAUTHENTICATED", why);
  }

  /** True when check() would return. */
  accepts(certificate: PeerCertificate): boolean {
    return this.rejectionReason(certificate) === undefined;
  }

  /** True when the certificate is on the list, or an authority's that it rests on. */
  isRevoked(certificate: PeerCertificate): boolean {
    return this.#look(certificate).revoked !== undefined;
  }

  /** Why a certificate is not accepted, and what to do. Undefined when it is. */
  rejectionReason(certificate: PeerCertificate): string | undefined {
    const { judgement, revoked } = this.#look(certificate);
    if (revoked !== undefined) {
      const isOwn = revoked.fingerprint === certificate.fingerprint;
      return isOwn
        ? REVOKED_MESSAGE
        : `${capitalized(describeCertificate(revoked))} issued this client's, and was revoked: ask for a new one`;
    }
    return judgement.isTrusted ? undefined : `${capitalized(judgement.reason)}: ask for a new certificate`;
  }

  #look(certificate: PeerCertificate): CachedJudgement {
    const nowMs = Date.now();
    const known = this.#known.get(certificate);
    if (known !== undefined && holds(known, nowMs)) return known;
    const judged = this.#judge(certificate, nowMs);
    this.#known.set(certificate, judged);
    return judged;
  }

  #judge(certificate: PeerCertificate, nowMs: number): CachedJudgement {
    const shown = chainOf(certificate);
    const judgement = verifyChain(shown, this.#authorities, "client", nowMs);
    const path = judgement.isTrusted ? judgement.path : shown.slice(0, 1);
    const revoked = path.find(({ issuer, serialNumber }) => this.#revoked.has(revocationKey(issuer, serialNumber)));
    return { judgedMs: nowMs, judgement, ...(revoked && { revoked }) };
  }
}

/** True while an earlier judgement still says what is so. */
function holds({ judgement, judgedMs }: CachedJudgement, nowMs: number): boolean {
  if (judgement.isTrusted) return judgement.fromMs <= nowMs && nowMs <= judgement.untilMs;
  return judgedMs <= nowMs && nowMs < judgedMs + REFUSAL_MS;
}

/** Told to a client whose certificate was revoked, also in the middle of a stream. */
export const REVOKED_MESSAGE = "The certificate was revoked: ask for a new one";
