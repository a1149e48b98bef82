/**
 * Guards every HTTP/2 server and client of the process; importing this file is enough, before grpc-js is imported.
 *
 * No exception from the network ends the process, and no session is freed while nghttp2 uses it. `boundary.ts`,
 * `harmless_methods.ts` and `session_closing.ts` say why and how.
 */
import type { EventEmitter } from "node:events";
import http2 from "node:http2";
import type { Socket } from "node:net";
import { guardEmitter, type NetworkError, NetworkErrors } from "./boundary.ts";
import { tameSession, tameStream } from "./harmless_methods.ts";
import { deferClosing, deferClosingWhileReading } from "./session_closing.ts";

type AnyServer = http2.Http2Server | http2.Http2SecureServer;

const errorsOfServers = new WeakMap<AnyServer, NetworkErrors>();
const reports = new WeakMap<AnyServer, (error: NetworkError) => void>();
const guarded = new WeakSet<object>();

/** The number of errors of each kind that were caught at the connections of a server. */
export function networkErrorCounts(server: AnyServer): ReadonlyMap<string, number> {
  return errorsOfServers.get(server)?.counts ?? new Map();
}

/** Reports the first error of each kind that is caught at the connections of a server. */
export function onNetworkError(server: AnyServer, report: (error: NetworkError) => void): void {
  reports.set(server, report);
}

/** Guards a server with its connections, sessions and streams. */
function guardServer(server: AnyServer): void {
  const errors = new NetworkErrors((error) => reports.get(server)?.(error));
  errorsOfServers.set(server, errors);
  // Before any listener, and kept when all listeners are removed.
  guardEmitter(server as unknown as EventEmitter, "server", errors, (event, args) => {
    const [, subject] = args;
    if (event === "connection" || event === "secureConnection") once(subject, guardSocket);
    if (event === "session") once(subject as http2.ServerHttp2Session, guardServerSession);
  });

  /** Sockets are emitters too, and a session's errors are emitted on them. */
  function once<Subject>(subject: Subject, guard: (subject: Subject) => void): void {
    if (typeof subject !== "object" || subject === null || guarded.has(subject)) return;
    guarded.add(subject);
    guard(subject);
  }

  function guardSocket(socket: unknown): void {
    guardEmitter(socket as Socket, "socket", errors);
  }

  function guardServerSession(session: http2.ServerHttp2Session): void {
    deferClosing(session);
    tameSession(session, errors);
    guardEmitter(session, "session", errors, (event, args) => {
      if (event === "stream") once(args[1] as http2.ServerHttp2Stream, guardServerStream);
    });
  }

  function guardServerStream(stream: http2.ServerHttp2Stream): void {
    tameStream(stream, errors);
    guardEmitter(stream, "stream", errors);
  }
}

function guardServers<Args extends unknown[], Server extends AnyServer>(
  make: (...args: Args) => Server,
): (...args: Args) => Server {
  return (...args) => {
    const server = make(...args);
    guardServer(server);
    return server;
  };
}

/** Guards a client's session, its socket and its streams. What throws there ends the session, which calls see. */
function guardClientSession(session: http2.ClientHttp2Session, socket: EventEmitter | undefined): void {
  const errors = new NetworkErrors();
  if (socket !== undefined) guardEmitter(socket, "socket", errors);
  const defer = deferClosingWhileReading(session, socket);
  // What has arrived already is read in this turn.
  defer();
  guardEmitter(session, "session", errors, (event) => {
    if (event === "goaway") defer();
  });
  const { request } = session;
  session.request = (...args) => {
    const stream = request.apply(session, args);
    guardEmitter(stream, "stream", errors);
    return stream;
  };
}

const { connect } = http2;

http2.createServer = guardServers(http2.createServer) as typeof http2.createServer;
http2.createSecureServer = guardServers(http2.createSecureServer) as typeof http2.createSecureServer;
http2.connect = ((authority: string | URL, ...rest: unknown[]) => {
  // The only way to the socket itself: a session shows a proxy of it.
  const [options, ...listener] = rest as [http2.SecureClientSessionOptions?, ...unknown[]];
  const create = options?.createConnection;
  let socket: EventEmitter | undefined;
  const session = connect.call(
    http2,
    authority,
    ...(create === undefined ? rest : [{
      ...options,
      createConnection: (...args: Parameters<typeof create>) => socket = create(...args),
    }, ...listener]) as [],
  );
  guardClientSession(session, socket);
  return session;
}) as typeof connect;
