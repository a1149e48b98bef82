/** How a connection ends: when its calls have ended and were read, after a grace period, or at once. */
import type { ServerHttp2Session } from "node:http2";
import type { Connection } from "./connection.ts";
import { FIRST_CALL_MS, GOAWAY_GRACE_MS, READING_MS } from "./deadlines.ts";

/** Sends GOAWAY and closes once no call is open and the client had time to read the last one. */
export function closeWhenDrained(session: ServerHttp2Session, connection: Connection): void {
  // The end of an open call, or of the wait, calls this function again.
  if (connection.open > 0 || connection.drainTimer !== undefined) return;
  const waitMs = connection.endedAtMs + READING_MS - performance.now();
  if (waitMs <= 0) return void session.close();
  connection.drainTimer = setTimeout(() => {
    connection.drainTimer = undefined;
    closeWhenDrained(session, connection);
  }, waitMs);
}

/** Sends GOAWAY, and destroys the connection after the grace period. */
export function goAway(session: ServerHttp2Session, connection: Connection): void {
  session.close();
  destroyAfterGrace(connection);
}

/** Closes a new session after its first call was answered and read, or when no call comes. */
export function closeAfterFirstCall(session: ServerHttp2Session, connection: Connection): void {
  // GOAWAY comes first: the client then makes a call that is on its way on another connection.
  const end = () => goAway(session, connection);
  let timer = setTimeout(end, FIRST_CALL_MS);
  session.once("close", () => clearTimeout(timer));
  session.once("stream", (stream) =>
    stream.once("close", () => {
      clearTimeout(timer);
      if (!session.closed) timer = setTimeout(end, GOAWAY_GRACE_MS);
    }));
}

/** Destroys a connection after the grace period, unless it ends sooner. */
export function destroyAfterGrace(connection: Connection): void {
  const timer = setTimeout(() => destroyConnection(connection), GOAWAY_GRACE_MS);
  connection.socket.once("close", () => clearTimeout(timer));
}

/**
 * Destroys a connection at once, also when the client does not read: the session alone would wait until its GOAWAY is
 * read. The socket ends before the session, so that clients see a lost connection and not an answer.
 */
export function destroyConnection({ socket, session }: Connection): void {
  socket.destroy();
  session?.destroy();
}
