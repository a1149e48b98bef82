/**
 * Keeps Deno alive when the other side of an HTTP/2 connection says GOAWAY; importing this file is enough.
 *
 * In Deno 2.9.4 to 2.9.6 a `close()` or `destroy()` that runs while nghttp2 still delivers the GOAWAY frees the session
 * under it, and the process dies: https://github.com/denoland/deno/issues/36788. grpc-js closes a session exactly then.
 * To be dropped once a Deno without that error is pinned.
 */
import http2 from "node:http2";
import { setImmediate } from "node:timers";

type Session = http2.Http2Session;

const deferring = new WeakSet<Session>();

/** Until this turn of the event loop is over, closing the session waits for the next one. */
function deferClosing(session: Session): void {
  if (deferring.has(session)) return;
  deferring.add(session);
  const { close, destroy } = session;
  session.close = (...args) => void setImmediate(() => close.apply(session, args));
  session.destroy = (...args) => void setImmediate(() => destroy.apply(session, args));
  setImmediate(() => {
    session.close = close;
    session.destroy = destroy;
    deferring.delete(session);
  });
}

/** Comes before every listener for GOAWAY, and stays when grpc-js removes all listeners of a session. */
function guard(session: Session): void {
  const emit = session.emit;
  session.emit = function (this: Session, ...args: Parameters<Session["emit"]>): boolean {
    if (args[0] as string | symbol === "goaway") deferClosing(session);
    return emit.apply(session, args);
  } as Session["emit"];
}

/** Guards every session of the servers that make() makes. */
function guardServers<Args extends unknown[], Server extends http2.Http2Server | http2.Http2SecureServer>(
  make: (...args: Args) => Server,
): (...args: Args) => Server {
  return (...args) => {
    const server = make(...args);
    server.prependListener("session", guard);
    return server;
  };
}

const { connect } = http2;

http2.createServer = guardServers(http2.createServer) as typeof http2.createServer;
http2.createSecureServer = guardServers(http2.createSecureServer) as typeof http2.createSecureServer;
http2.connect = ((...args: Parameters<typeof connect>) => {
  const session = connect(...args);
  guard(session);
  return session;
}) as typeof connect;
