/** The peer of a connection: its certificate, and the certificates it sent with it. */
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../../proto/service.ts";
import { type Certificate, readCertificate as readDer } from "../../trust/certificate.ts";

/** The most certificates of one peer that are read. */
const MAX_CHAIN = 8;

/** The chain of each certificate. Handlers do not need it. */
const chains = new WeakMap<PeerCertificate, readonly Certificate[]>();

/**
 * Reads the certificate of a peer.
 *
 * @param der the certificate in DER, from TLS
 * @param others the certificates that came with it, which may have issued it
 */
export function readCertificate(der: Uint8Array, others: readonly Uint8Array[] = []): PeerCertificate {
  const [own, ...rest] = [der, ...others].map((one) => readDer(new Uint8Array(one)));
  const { subject, issuer, isAuthority, serialNumber, fingerprint, notAfter } = own!;
  const read: PeerCertificate = {
    commonNames: subject.commonNames,
    organizations: subject.organizations,
    isAuthority,
    issuer: issuer.text,
    serialNumber,
    fingerprint,
    notAfter,
  };
  chains.set(read, [own!, ...rest]);
  return read;
}

/** Returns a certificate and the ones that came with it. Empty when `readCertificate()` did not make it. */
export function chainOf(certificate: PeerCertificate): readonly Certificate[] {
  return chains.get(certificate) ?? [];
}

/** Returns the certificates that a peer sent, in DER, its own first. Empty when it sent none. */
export function shownBy(socket: Pick<TLSSocket, "getPeerCertificate">): Uint8Array[] {
  const shown: Uint8Array[] = [];
  let next = socket.getPeerCertificate(true) as { raw?: Uint8Array; issuerCertificate?: typeof next } | null;
  while (next?.raw && shown.length < MAX_CHAIN) {
    shown.push(next.raw);
    next = next.issuerCertificate === next ? null : next.issuerCertificate ?? null;
  }
  return shown;
}
