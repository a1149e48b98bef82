/** Connections that TLS refused: who it was and why, for the record. */
import type { Http2SecureServer } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../../../proto/service.ts";
import { readCertificate, shownBy } from "../../shared/peer.ts";

/** A connection that came to nothing. */
export interface HandshakeFailure {
  /** The address and port it came from. */
  readonly peer: string;
  /** Why, in the words of the TLS library or its code. */
  readonly reason: string;
  /** What it showed, which proves nothing: TLS has not accepted it. */
  readonly certificate?: PeerCertificate;
}

/** Told to listeners in place of a text without bounds that a stranger had a hand in. */
const MAX_REASON_CHARS = 400;

const origins = new WeakMap<object, { readonly peer: string; readonly closedWhy: () => string | undefined }>();

/**
 * Keeps where a connection comes from, which nobody knows after it has failed.
 *
 * @param closedWhy Gives the reason when the server closed it
 */
export function rememberOrigin(socket: Socket, peer: string, closedWhy: () => string | undefined): void {
  origins.set(socket, { peer, closedWhy });
}

/**
 * Tells of every handshake that fails.
 *
 * @param refusalOf why a certificate is not accepted, which TLS says in a word that fits most of them
 */
export function reportHandshakeFailures(
  server: Http2SecureServer,
  refusalOf: (certificate: PeerCertificate) => string | undefined,
  tell: (failure: HandshakeFailure) => void,
): void {
  // First: a listener of Deno's own closes the connection, after which the certificate cannot be seen any more.
  server.prependListener("tlsClientError", (error: Error, socket: TLSSocket) => {
    const { _parent: parent } = socket as unknown as { _parent?: object };
    const origin = parent && origins.get(parent);
    const peer = origin?.peer ?? "unknown";
    const code = socket.authorizationError as unknown;
    const certificate = shown(socket);
    const reason = origin?.closedWhy() ?? (certificate && refusalOf(certificate)) ??
      (code ? explained(String(code)) : error.message);
    tell({ peer, reason: reason.slice(0, MAX_REASON_CHARS), ...(certificate && { certificate }) });
  });
}

function explained(code: string): string {
  return code === "UNABLE_TO_GET_ISSUER_CERT" ? "No certificate was shown, or none that can be read" : code;
}

function shown(socket: TLSSocket): PeerCertificate | undefined {
  try {
    const [der, ...others] = shownBy(socket);
    return der && readCertificate(der, others);
  } catch {
    // What cannot be read was not accepted either.
    return undefined;
  }
}
