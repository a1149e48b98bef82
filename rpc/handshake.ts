/** Connections that TLS refused: who it was and why, for the record. */
import type { Http2SecureServer } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../proto/service.ts";
import { formatAddress } from "./address.ts";
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

const addresses = new WeakMap<object, string>();

/** Keeps where a connection comes from: once it has failed nobody knows any more. */
export function rememberAddress(socket: Socket): void {
  const { remoteAddress = "unknown", remotePort = 0 } = socket;
  addresses.set(socket, formatAddress({ host: remoteAddress, port: remotePort }));
}

/** Tells of every handshake that fails. */
export function failedHandshakes(server: Http2SecureServer, tell: (failure: HandshakeFailure) => void): void {
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    const { _parent: parent } = socket as unknown as { _parent?: object };
    const peer = (parent && addresses.get(parent)) ?? "unknown";
    const code = socket.authorizationError as unknown;
    const reason = code ? String(code) : error.message;
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
