/** Who is at the other end of a connection: the certificate it proved to hold, and those that came with it. */
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../../proto/service.ts";
import { type Certificate, readCertificate as readDer } from "../../trust/certificate.ts";

/** As many certificates as one connection shows and anybody looks at. */
const MAX_CHAIN = 8;

/** What a chain is judged by, which handlers need not know. */
const chains = new WeakMap<PeerCertificate, readonly Certificate[]>();

/**
 * Reads a certificate that TLS has seen.
 *
 * @param der The certificate in DER, as TLS gives it
 * @param others Those that came with it, which may have issued it
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

/** The certificate and those that came with it. Empty for one that was not read here. */
export function chainOf(certificate: PeerCertificate): readonly Certificate[] {
  return chains.get(certificate) ?? [];
}

/** What the other end of a connection showed, in DER, its own certificate first. Empty when it showed none. */
export function shownBy(socket: Pick<TLSSocket, "getPeerCertificate">): Uint8Array[] {
  const shown: Uint8Array[] = [];
  let next = socket.getPeerCertificate(true) as { raw?: Uint8Array; issuerCertificate?: typeof next } | null;
  while (next?.raw && shown.length < MAX_CHAIN) {
    shown.push(next.raw);
    next = next.issuerCertificate === next ? null : next.issuerCertificate ?? null;
  }
  return shown;
}
