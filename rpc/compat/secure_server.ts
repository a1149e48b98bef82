/**
 * Reaches the HTTP/2 server that grpc-js makes, and what node:tls keeps private of it.
 *
 * Reasons: grpc-js returns no reference to its server and has no option for its TLS settings. Listeners of
 * `secureConnection` cannot stop each other. A TLS socket does not show the TCP socket below it.
 * Test: `tests/rpc/compat/secure_server_test.ts`.
 */
import "./http2_guard.ts";
import http2 from "node:http2";
import type { SecureContextOptions, Server, TLSSocket } from "node:tls";

/** A change to every secure HTTP/2 server of the process. */
export interface ServerPatch {
  /** Returns the options to create a server with. */
  readonly options: (options: http2.SecureServerOptions) => http2.SecureServerOptions;
  /** Receives each server before it is used. */
  readonly onCreated: (server: http2.Http2SecureServer) => void;
}

let latest: http2.Http2SecureServer | undefined;

/** Applies a patch to all secure HTTP/2 servers that the process creates from now on. */
export function patchSecureServers({ options: change, onCreated }: ServerPatch): void {
  const create = http2.createSecureServer;
  http2.createSecureServer = ((options: http2.SecureServerOptions) => {
    const server = create(change(options));
    onCreated(server);
    latest = server;
    return server;
  }) as typeof http2.createSecureServer;
}

/**
 * Runs a function in which grpc-js creates a server, and returns the server too.
 *
 * @throws {Error} when the function created no server
 */
export function captureServer<T>(make: () => T): { made: T; server: http2.Http2SecureServer } {
  latest = undefined;
  const made = make();
  if (!latest) throw new Error("Cannot find the HTTP/2 server of grpc-js: its connection injector has changed");
  return { made, server: latest };
}

/** Gives a server other certificates. Connections that exist keep theirs. */
export function setSecureContext(server: http2.Http2SecureServer, context: SecureContextOptions): void {
  // The server inherits from tls.Server, which the types of node:http2 do not say.
  (server as unknown as Server).setSecureContext(context);
}

/**
 * Closes the connections that a function rejects, before an HTTP/2 session exists. They count as failed handshakes:
 * `tlsClientError` is emitted while the peer's certificate can still be read.
 */
export function rejectConnections(
  server: http2.Http2SecureServer,
  reasonToReject: (socket: TLSSocket) => string | undefined,
): void {
  const emit = server.emit as (event: string | symbol, ...args: unknown[]) => boolean;
  server.emit = function (this: http2.Http2SecureServer, event: string | symbol, ...args: unknown[]): boolean {
    if (event !== "secureConnection") return emit.call(this, event, ...args);
    const socket = args[0] as TLSSocket;
    const reason = reasonToReject(socket);
    if (reason === undefined) return emit.call(this, event, ...args);
    // The connection may break before destroy(); that is not an error of the server.
    socket.on("error", () => {});
    emit.call(this, "tlsClientError", new Error(reason), socket);
    socket.destroy();
    return true;
  } as typeof server.emit;
}

/** Returns the TCP socket below a TLS socket. Undefined when it is not found. */
export function tcpSocketOf(socket: TLSSocket): object | undefined {
  return (socket as unknown as { _parent?: object })._parent;
}
