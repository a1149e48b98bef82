/**
 * Patches node:http2 so that every server and client of the process is guarded. Import this file before grpc-js.
 *
 * An exception in a network event does not end the process, and a session is not freed while nghttp2 uses it. The
 * reasons are in `error_boundary.ts`, `safe_methods.ts` and `session_closing.ts`. Test:
 * `tests/rpc/compat/http2_guard_test.ts`.
 */
import type { EventEmitter } from "node:events";
import http2 from "node:http2";
import type { Socket } from "node:net";
import { type Guard, guardEmitter, type NetworkError, NetworkErrors } from "./error_boundary.ts";
import { freeDecrypted, freeReceived } from "./received_memory.ts";
import { makeSessionMethodsSafe, makeStreamMethodsSafe } from "./safe_methods.ts";
import { deferClosing, deferClosingWhileReading } from "./session_closing.ts";
import { joinWrites } from "./session_writes.ts";

type AnyServer = http2.Http2Server | http2.Http2SecureServer;

const errorsOfServers = new WeakMap<AnyServer, NetworkErrors>();
const reports = new WeakMap<AnyServer, (error: NetworkError) => void>();

/** Returns how many errors of each kind were caught at the connections of a server. */
export function networkErrorCounts(server: AnyServer): ReadonlyMap<string, number> {
  return errorsOfServers.get(server)?.counts ?? new Map();
}

/** Sets the function that receives the first error of each kind at the connections of a server. */
export function onNetworkError(server: AnyServer, report: (error: NetworkError) => void): void {
  reports.set(server, report);
}

/** Guards a server and its connections, sessions and streams. */
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
    joinWrites(session);
    freeReceived(session);
    session.prependListener("stream", guardStream);
  };
  guardEmitter(server as unknown as EventEmitter, { place: "server", errors });
  // These listeners must run first.
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

/** Guards a client's session, socket and streams. An error there ends the session, and its calls fail. */
function guardClientSession(session: http2.ClientHttp2Session, socket: EventEmitter | undefined): void {
  const errors = new NetworkErrors();
  if (socket !== undefined) {
    guardEmitter(socket, { place: "socket", errors });
    freeDecrypted(session, socket);
    joinWrites(session);
  }
  const defer = deferClosingWhileReading(session, socket);
  // The session reads data that has arrived in this turn.
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
  // This is the only way to the socket itself: `session.socket` is a proxy.
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
