/** How a connection ends: after its calls were read, after a moment, or at once. */
import type { ServerHttp2Session } from "node:http2";
import type { Connection } from "./connection_slots.ts";

// After the grace each client is told why its calls end. One that does not read does not learn it; nobody waits longer.
export const GOAWAY_GRACE_MS = 250;

// A client of grpc-js that is told to go away, or sees its connection closed, loses what it has received and not read,
// the end of calls included. This long after the end of the last call everyone but the slowest reader has read it.
const READING_MS = 500;

/** Says GOAWAY and closes when no call is open and the last one was read. */
export function closeWhenDrained(session: ServerHttp2Session, connection: Connection): void {
  if (connection.open > 0) return; // Called again at its end.
  const waitMs = connection.endedAtMs + READING_MS - performance.now();
  if (waitMs <= 0) return void session.close();
  const timer = setTimeout(() => closeWhenDrained(session, connection), waitMs);
  session.once("close", () => clearTimeout(timer));
}

/** Cuts a connection off after the farewell, unless it ends before. */
export function destroyAfterGrace(connection: Connection): void {
  const timer = setTimeout(() => destroyConnection(connection), GOAWAY_GRACE_MS);
  connection.socket.once("close", () => clearTimeout(timer));
}

/**
 * Cuts a connection off, also where the client does not read: the session alone would wait for its farewell to be read.
 * The connection goes before the session, so that clients know it as lost and not as an answer.
 */
export function destroyConnection({ socket, session }: Connection): void {
  socket.destroy();
  session?.destroy();
}
