/**
 * Guards every HTTP/2 server and client of the process; importing this file is enough, before grpc-js is imported.
 *
 * No exception from the network ends the process, and no session is freed while nghttp2 uses it. `boundary.ts`,
 * `harmless_methods.ts` and `session_closing.ts` say why and how.
 */
import type { EventEmitter } from "node:events";
import http2 from "node:http2";
import type { Socket } from "node:net";
import { type Guard, guardEmitter, type NetworkError, NetworkErrors } from "./error_boundary.ts";
import { makeSessionMethodsSafe, makeStreamMethodsSafe } from "./safe_methods.ts";
import { deferClosing, deferClosingWhileReading } from "./session_closing.ts";

type AnyServer = http2.Http2Server | http2.Http2SecureServer;

const errorsOfServers = new WeakMap<AnyServer, NetworkErrors>();
const reports = new WeakMap<AnyServer, (error: NetworkError) => void>();

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
  const [sockets, sessions, streams] = ["socket", "session", "stream"].map((place) => ({ place, errors })) as [
    Guard,
    Guard,
    Guard,
  ];
  const guardSocket = (socket: Socket) => guardEmitter(socket, sockets);
  const guardStream = (stream: http2.ServerHttp2Stream) => {
    guardEmitter(stream, streams);
    makeStreamMethodsSafe(stream);
  };
  const guardSession = (session: http2.ServerHttp2Session) => {
    guardEmitter(session, sessions);
    makeSessionMethodsSafe(session);
    deferClosing(session);
    session.prependListener("stream", guardStream);
  };
  guardEmitter(server as unknown as EventEmitter, { place: "server", errors });
  // Before any other listener.
  server.prependListener("connection", guardSocket);
  server.prependListener("secureConnection", guardSocket);
  server.prependListener("session", guardSession);
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
  if (socket !== undefined) guardEmitter(socket, { place: "socket", errors });
  const defer = deferClosingWhileReading(session, socket);
  // What has arrived already is read in this turn.
  defer();
  guardEmitter(session, { place: "session", errors });
  session.prependListener("goaway", defer);
  const streams = { place: "stream", errors };
  const { request } = session;
  session.request = (...args) => {
    const stream = request.apply(session, args);
    guardEmitter(stream, streams);
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
