/** Whom a server believes now: the authorities it knows and the certificates that were revoked. Replaced while it serves. */
import { X509Certificate } from "node:crypto";
import { TeleportError } from "../mod.ts";
import type { PeerCertificate } from "../proto/service.ts";
import { splitCertificates } from "./credentials.ts";
import { issuedBy } from "./peer.ts";

/** Serial numbers of revoked certificates: upper-case hexadecimal, whole bytes, no separators. */
export type Revoked = ReadonlySet<string>;

/**
 * What a certificate must still be at every call, though TLS has verified it when the connection was made: connections
 * last for days, and Deno's TLS looks at no revocation list.
 */
export class Trust {
  #authorities: readonly X509Certificate[] = [];
  #revoked: Revoked = new Set();
  /** Signatures are verified once a certificate and set of authorities. */
  #issued = new WeakMap<PeerCertificate, boolean>();

  constructor(ca: string, revoked: Revoked) {
    this.replace(ca, revoked);
  }

  /** Believes these from now on, and no others. */
  replace(ca: string, revoked: Revoked): void {
    this.#authorities = splitCertificates(ca).map((pem) => new X509Certificate(pem));
    this.#revoked = revoked;
    this.#issued = new WeakMap();
  }

  /**
   * Checks a certificate that TLS has verified at some time.
   *
   * @throws {TeleportError} `UNAUTHENTICATED` when it was revoked, has ended, or its authority is believed no more
   */
  check(certificate: PeerCertificate): void {
    const why = this.#refusal(certificate);
    if (why !== undefined) throw new TeleportError("UNAUTHENTICATED", why);
  }

  /** True when check() would return. */
  accepts(certificate: PeerCertificate): boolean {
    return this.#refusal(certificate) === undefined;
  }

  /** True when the certificate is on the list. */
  isRevoked(certificate: PeerCertificate): boolean {
    return this.#revoked.has(certificate.serialNumber);
  }

  #refusal(certificate: PeerCertificate): string | undefined {
    if (this.isRevoked(certificate)) return REVOKED_SENTENCE;
    if (certificate.notAfter.getTime() <= Date.now()) {
      return `The certificate ended on "${certificate.notAfter.toISOString().slice(0, 10)}": ask for a new one`;
    }
    let issued = this.#issued.get(certificate);
    if (issued === undefined) {
      issued = this.#authorities.some((authority) => issuedBy(certificate, authority));
      this.#issued.set(certificate, issued);
    }
    return issued
      ? undefined
      : "The certificate's authority is not accepted any more: ask for a certificate of the new";
  }
}

/** Told to a client whose certificate was revoked, also in the middle of a stream. */
export const REVOKED_SENTENCE = "The certificate was revoked: ask for a new one";
