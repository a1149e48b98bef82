/** Connections that TLS refused: who it was and why, for the record. */
import type { Http2SecureServer } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../proto/service.ts";
import { readCertificate } from "./peer.ts";

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
const MAX_REASON_CHARS = 200;

const origins = new WeakMap<object, { readonly peer: string; readonly closedWhy: () => string | undefined }>();

/**
 * Keeps where a connection comes from, which nobody knows after it has failed.
 *
 * @param closedWhy Gives the reason when the server closed it
 */
export function rememberOrigin(socket: Socket, peer: string, closedWhy: () => string | undefined): void {
  origins.set(socket, { peer, closedWhy });
}

/** Tells of every handshake that fails. */
export function failedHandshakes(server: Http2SecureServer, tell: (failure: HandshakeFailure) => void): void {
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    const { _parent: parent } = socket as unknown as { _parent?: object };
    const origin = parent && origins.get(parent);
    const peer = origin?.peer ?? "unknown";
    const code = socket.authorizationError as unknown;
    const reason = origin?.closedWhy() ?? (code ? String(code) : error.message);
    const certificate = shown(socket);
    tell({ peer, reason: reason.slice(0, MAX_REASON_CHARS), ...(certificate && { certificate }) });
  });
}

function shown(socket: TLSSocket): PeerCertificate | undefined {
  try {
    const der = socket.getPeerCertificate()?.raw;
    return der && readCertificate(der);
  } catch {
    // What cannot be read was not accepted either.
    return undefined;
  }
}
