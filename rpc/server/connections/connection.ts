/** One connection whose handshake has started, and the client it belongs to. */
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { SocketAddress } from "../../compat/socket_address.ts";

/** The client of a connection, as far as the limits of connections need it. */
export interface ConnectionOwner {
  /** The user. Connections of one user share a limit. */
  readonly user: string;
  /** True for a member: a user with a role. False for a guest, who may only ask for health. */
  readonly isMember: boolean;
}

/** A connection whose handshake has started. */
export interface Connection {
  readonly peer: SocketAddress;
  /** The key of the peer's address for limits; see `addressGroup()`. */
  readonly group: string;
  readonly socket: Socket;
  /** When the handshake started, in the time of performance.now(). */
  readonly atMs: number;
  /** Absent during the handshake. */
  session?: ServerHttp2Session;
  /** Absent during the handshake. */
  owner?: ConnectionOwner;
  /** The number of open calls. */
  open: number;
  /** When the last call ended, or else when the session began. */
  usedAtMs: number;
  /** When the last call ended; -Infinity before the first end. */
  endedAtMs: number;
  /** Runs while the connection belongs to a guest. */
  idleTimer?: ReturnType<typeof setTimeout>;
  /** Runs while the client reads the answer of its last call, before the connection closes. */
  drainTimer?: ReturnType<typeof setTimeout> | undefined;
  /** Why the server closed it, for the audit entry of a failed handshake. */
  closedWhy?: string;
}
