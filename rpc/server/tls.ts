/** The TLS policy of servers: TLS 1.3 only, and no session without a certificate that the CA has signed. */
import type { Http2SecureServer } from "node:http2";
import type { TLSSocket } from "node:tls";
import { patchSecureServers, rejectConnections, setSecureContext } from "../compat/secure_server.ts";
import { destroyNow } from "../compat/session_closing.ts";
import { pemBytes, type TlsCredentials } from "../shared/tls_credentials.ts";
import { HANDSHAKE_MS } from "./connections/deadlines.ts";

/** Twice the 8 KiB that gRPC advises. The rest is room for tracing headers, which the service does not read. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * The TLS options of every server. Deno would close a connection with a bad certificate before the reason can be read.
 * So TLS accepts it, and `rejectConnections()` closes it before an HTTP/2 session exists.
 */
const POLICY = { minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: false } as const;

patchSecureServers({
  options: (options) => ({
    ...options,
    ...POLICY,
    handshakeTimeout: HANDSHAKE_MS,
    settings: { ...options.settings, maxHeaderListSize: MAX_HEADER_BYTES },
  }),
  onCreated(server) {
    rejectConnections(
      server,
      (socket) => isAccepted(socket) ? undefined : String(socket.authorizationError ?? "no certificate"),
    );
    // A second check: a connection that passes the first one gets no session.
    server.prependListener("session", (session) => {
      // At once, because the session could make calls in this turn.
      if (!isAccepted(session.socket as TLSSocket)) destroyNow(session);
    });
  },
});

function isAccepted(socket: TLSSocket): boolean {
  return socket.authorized && Boolean(socket.getPeerCertificate()?.raw);
}

/** Gives a server other certificates. Connections that exist keep theirs. */
export function replaceCertificates(server: Http2SecureServer, credentials: TlsCredentials): void {
  setSecureContext(server, { ...pemBytes(credentials), minVersion: POLICY.minVersion });
}
