/** Time limits of HTTP/2 sessions: for the first settings of a client, and for the idle time of a guest. */
import type { ServerHttp2Session } from "node:http2";
import type { Connection } from "./connection.ts";
import { GUEST_IDLE_MS, SETTINGS_MS } from "./deadlines.ts";

/** Calls a function when a client completed TLS and sends no HTTP/2 settings in time. */
export function requireSettings(session: ServerHttp2Session, onTimeout: () => void): void {
  const timer = setTimeout(onTimeout, SETTINGS_MS);
  session.once("remoteSettings", () => clearTimeout(timer));
  session.once("close", () => clearTimeout(timer));
}

/** Calls a function when a guest has made no call for a while. Stops an earlier timer of the connection. */
export function watchIdleGuest(session: ServerHttp2Session, connection: Connection, onIdle: () => void): void {
  clearTimeout(connection.idleTimer);
  if (connection.owner?.isMember !== false || session.closed) return;
  const leftMs = connection.open > 0 ? GUEST_IDLE_MS : connection.usedAtMs + GUEST_IDLE_MS - performance.now();
  if (leftMs <= 0) return onIdle();
  connection.idleTimer = setTimeout(() => watchIdleGuest(session, connection, onIdle), leftMs);
}
