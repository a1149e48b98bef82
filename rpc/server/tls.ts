/** The TLS policy of servers: 1.3 only, and no session without a certificate that the CA has signed. */
import "../compat/http2_guard.ts";
import http2 from "node:http2";
import type { Server, TLSSocket } from "node:tls";
import { destroyNow } from "../compat/session_closing.ts";
import { pemBytes, type TlsCredentials } from "../shared/tls_credentials.ts";

// A stranger who opens a connection and says nothing holds a descriptor; a handshake takes 10 ms, over bad lines 1 s.
const HANDSHAKE_TIMEOUT_MS = 10_000;

// 8 KiB is what gRPC advises; twice that leaves room for tracing headers, of which the service reads none.
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * What a server's TLS is, whatever its certificates are. Deno would close a refused connection before anybody could see
 * why, so `refuseUnauthorized` does it, before there is an HTTP/2 session.
 */
const POLICY = { minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: false } as const;

const create = http2.createSecureServer;

let latest: http2.Http2SecureServer | undefined;

/** Runs a function that has grpc-js make a server, and gives that too: grpc-js keeps it to itself. */
export function serverMadeBy<T>(make: () => T): { made: T; server: http2.Http2SecureServer } {
  latest = undefined;
  const made = make();
  if (!latest) throw new Error("grpc-js made no HTTP/2 server: its connection injector has changed");
  return { made, server: latest };
}

/** Gives a server other certificates. Connections there are keep theirs. */
export function replaceCertificates(server: http2.Http2SecureServer, credentials: TlsCredentials): void {
  // A grandchild of tls.Server, which the types of node:http2 do not say.
  const { minVersion } = POLICY;
  (server as unknown as Server).setSecureContext({ ...pemBytes(credentials), minVersion });
}

http2.createSecureServer = ((options: http2.SecureServerOptions) => {
  const server = create({
    ...options,
    ...POLICY,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    settings: { ...options.settings, maxHeaderListSize: MAX_HEADER_BYTES },
  });
  refuseUnauthorized(server);
  // Should a connection ever get past that, it gets no further.
  server.prependListener("session", (session) => {
    const socket = session.socket as TLSSocket;
    // At once: until the next turn it could already make calls.
    if (!socket.authorized || !socket.getPeerCertificate()?.raw) destroyNow(session);
  });
  latest = server;
  return server;
}) as typeof http2.createSecureServer;

/**
 * Closes connections whose certificate TLS has not accepted. Not a listener: those of `secureConnection` cannot keep
 * each other from running, and the one of HTTP/2 must not. They count as failed handshakes, with the certificate still
 * to be seen.
 */
function refuseUnauthorized(server: http2.Http2SecureServer): void {
  const emit = server.emit as (event: string | symbol, ...args: unknown[]) => boolean;
  server.emit = function (this: http2.Http2SecureServer, event: string | symbol, ...args: unknown[]): boolean {
    if (event !== "secureConnection") return emit.call(this, event, ...args);
    const socket = args[0] as TLSSocket;
    if (socket.authorized && socket.getPeerCertificate()?.raw) return emit.call(this, event, ...args);
    // A connection that breaks meanwhile is no error of the server.
    socket.on("error", () => {});
    emit.call(this, "tlsClientError", new Error(String(socket.authorizationError ?? "no certificate")), socket);
    socket.destroy();
    return true;
  } as typeof server.emit;
}
