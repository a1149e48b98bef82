/** Reports connections whose TLS handshake failed: the peer, its certificate, and the reason. */
import type { Http2SecureServer } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { defined } from "../../../base/defined.ts";
import type { PeerCertificate } from "../../../proto/service.ts";
import { tcpSocketOf } from "../../compat/secure_server.ts";
import { readCertificate, shownBy } from "../../shared/peer.ts";

/** A handshake that failed. */
export interface HandshakeFailure {
  /** The address and port of the peer. */
  readonly peer: string;
  /** The reason: a text of the TLS library, or its code. */
  readonly reason: string;
  /** The certificate that the peer showed. It proves nothing: TLS has not accepted it. */
  readonly certificate?: PeerCertificate;
}

/** The longest reason. A peer can influence the text. */
const MAX_REASON_CHARS = 400;

const origins = new WeakMap<object, { readonly peer: string; readonly closedWhy: () => string | undefined }>();

/**
 * Stores the peer of a connection. After a failed handshake the socket has no address.
 *
 * @param closedWhy returns the reason when the server closed the connection
 */
export function rememberOrigin(socket: Socket, peer: string, closedWhy: () => string | undefined): void {
  origins.set(socket, { peer, closedWhy });
}

/**
 * Reports every failed handshake of a server.
 *
 * @param rejectionReason returns why a certificate is not accepted; TLS has one word for most reasons
 * @param report receives each failure
 */
export function reportHandshakeFailures(
  server: Http2SecureServer,
  rejectionReason: (certificate: PeerCertificate) => string | undefined,
  report: (failure: HandshakeFailure) => void,
): void {
  // This listener runs first: Deno's own one closes the connection, which hides the certificate.
  server.prependListener("tlsClientError", (error: Error, socket: TLSSocket) => {
    const parent = tcpSocketOf(socket);
    const origin = parent && origins.get(parent);
    const peer = origin?.peer ?? "unknown";
    const code = socket.authorizationError as unknown;
    const certificate = shown(socket);
    const reason = origin?.closedWhy() ?? (certificate && rejectionReason(certificate)) ??
      (code ? explained(String(code)) : error.message);
    report({ peer, reason: reason.slice(0, MAX_REASON_CHARS), ...defined({ certificate }) });
  });
}

function explained(code: string): string {
  return code === "UNABLE_TO_GET_ISSUER_CERT" ? "No certificate was shown, or it cannot be read" : code;
}

function shown(socket: TLSSocket): PeerCertificate | undefined {
  try {
    const [der, ...others] = shownBy(socket);
    return der && readCertificate(der, others);
  } catch {
    // A certificate that cannot be read was not accepted.
    return undefined;
  }
}
