/**
 * Decides which client certificates a server accepts: its authorities and the revoked certificates, both replaceable.
 */
import { TeleportError } from "../../mod.ts";
import type { PeerCertificate } from "../../proto/service.ts";
import { defined } from "../../base/defined.ts";
import type { Certificate } from "../../trust/certificate.ts";
import { type TrustedChain, verifyChain } from "../../trust/chain.ts";
import { capitalized, describeCertificate, type RejectedChain } from "../../trust/chain_faults.ts";
import { revocationKey } from "../../trust/revocation.ts";
import { readAuthorities } from "../shared/tls_credentials.ts";
import { chainOf } from "../shared/peer.ts";

/** The keys of revoked certificates, in the form of {@linkcode revocationKey}. */
export type Revoked = ReadonlySet<string>;

/** The judgement of a certificate under the current authorities and revoked certificates. */
interface CachedJudgement {
  readonly judgedMs: number;
  readonly judgement: TrustedChain | RejectedChain;
  /** The revoked certificate: the client's own, or one of an intermediate authority. Absent when none is revoked. */
  readonly revoked?: Certificate;
}

/** A rejected certificate is judged again after this time, in milliseconds: it may become valid. */
const REFUSAL_MS = 1_000;

/**
 * Checks the certificate of every call.
 *
 * TLS verifies a certificate once, when the connection is made, and connections last for days. Deno's TLS checks
 * neither revocation lists nor the dates of a root authority.
 */
export class Trust {
  #authorities: readonly Certificate[] = [];
  #revoked: Revoked = new Set();
  /** A chain is judged once. Each later call compares two times. */
  #judgements = new WeakMap<PeerCertificate, CachedJudgement>();

  constructor(ca: string, revoked: Revoked) {
    this.replace(ca, revoked);
  }

  /** Replaces the authorities and the revoked certificates. */
  replace(ca: string, revoked: Revoked): void {
    this.#authorities = readAuthorities(ca);
    this.#revoked = revoked;
    this.#judgements = new WeakMap();
  }

  /**
   * Checks a certificate that TLS verified when the connection was made.
   *
   * @throws {TeleportError} with code UNAUTHENTICATED when it was revoked or has expired. Also when its authority is no
   * longer trusted
   */
  check(certificate: PeerCertificate): void {
    const why = this.rejectionReason(certificate);
    if (why !== undefined) throw new TeleportError("UNAUTHENTICATED", why);
  }

  /** Returns whether check() would accept the certificate. */
  accepts(certificate: PeerCertificate): boolean {
    return this.rejectionReason(certificate) === undefined;
  }

  /** Returns whether the certificate, or an intermediate authority above it, is revoked. */
  isRevoked(certificate: PeerCertificate): boolean {
    return this.#judgementOf(certificate).revoked !== undefined;
  }

  /** Returns why a certificate is not accepted, and what to do. Undefined when it is accepted. */
  rejectionReason(certificate: PeerCertificate): string | undefined {
    const { judgement, revoked } = this.#judgementOf(certificate);
    if (revoked !== undefined) {
      const isOwn = revoked.fingerprint === certificate.fingerprint;
      return isOwn
        ? REVOKED_MESSAGE
        : `${
          capitalized(describeCertificate(revoked))
        } issued this client's certificate and was revoked: ask for a new one`;
    }
    return judgement.isTrusted ? undefined : `${capitalized(judgement.reason)}: ask for a new certificate`;
  }

  #judgementOf(certificate: PeerCertificate): CachedJudgement {
    const nowMs = Date.now();
    const cached = this.#judgements.get(certificate);
    if (cached !== undefined && stillHolds(cached, nowMs)) return cached;
    const judged = this.#judge(certificate, nowMs);
    this.#judgements.set(certificate, judged);
    return judged;
  }

  #judge(certificate: PeerCertificate, nowMs: number): CachedJudgement {
    const shown = chainOf(certificate);
    const judgement = verifyChain(shown, this.#authorities, "client", nowMs);
    const path = judgement.isTrusted ? judgement.path : shown.slice(0, 1);
    const revoked = path.find(({ issuer, serialNumber }) => this.#revoked.has(revocationKey(issuer, serialNumber)));
    return { judgedMs: nowMs, judgement, ...defined({ revoked }) };
  }
}

/** Returns whether a judgement still holds. */
function stillHolds({ judgement, judgedMs }: CachedJudgement, nowMs: number): boolean {
  if (judgement.isTrusted) return judgement.fromMs <= nowMs && nowMs <= judgement.untilMs;
  return judgedMs <= nowMs && nowMs < judgedMs + REFUSAL_MS;
}

/** The error message for a client whose certificate was revoked, also during a stream. */
export const REVOKED_MESSAGE = "The certificate was revoked: ask for a new one";
