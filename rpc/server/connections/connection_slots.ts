/** The places of connections behind the listener: for handshakes, guests and members, each with its own share. */
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { formatAddress } from "../../shared/address.ts";
import type { SocketAddress } from "../../compat/socket_address.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import type { ConnectionRefusalCause, RefusedConnections } from "./refused_connections.ts";
import { FairShare } from "./fair_share.ts";

/**
 * While newcomers need the places of others, a handshake keeps its place this long, which is enough for its one round
 * trip. Where hardly any handshake comes to its end, which is an attack, the time goes down to the lesser one, so that
 * thousands of stalled handshakes pass in a second. Without an attack each has ten seconds.
 */
const PATIENCE_MS = 500;
const LEAST_PATIENCE_MS = 250;

/** How much one handshake counts in the share of those that came to their end, and what share is usual. */
const SHARE_WEIGHT = 1 / 16;
const USUAL_SHARE = 0.25;

/** A connection without a call for this long is idle. A client that has just connected makes its call before. */
const IDLE_MS = 5_000;

/** Who is at the other end of a connection. */
export interface ConnectionOwner {
  /** Connections of one user share a limit. */
  readonly user: string;
  /** True for those who may do more than ask for health. */
  readonly isMember: boolean;
}

/** A connection whose handshake has begun. */
export interface Connection {
  readonly peer: SocketAddress;
  /** Its address for limits. */
  readonly group: string;
  readonly socket: Socket;
  /** When the handshake began, in the time of performance.now(). */
  readonly atMs: number;
  session?: ServerHttp2Session;
  owner?: ConnectionOwner;
  /** Calls that are open. */
  open: number;
  /** When the last call ended, or the session began. */
  usedAtMs: number;
  /** When the last call ended; -Infinity before. */
  endedAtMs: number;
  /** Runs while the connection is a guest's. */
  idleTimer?: ReturnType<typeof setTimeout>;
  /** Why it was closed, for the record of failed handshakes. */
  closedWhy?: string;
}

/** Gives places, and takes them from those that have the most. */
export class ConnectionSlots {
  readonly #limits: ConnectionLimits;
  readonly #refused: RefusedConnections;
  readonly handshakes: FairShare<Connection>;
  readonly guests: FairShare<Connection>;
  readonly members: FairShare<Connection>;
  /** How many of the latest handshakes came to their end, from 0 to 1. */
  #completedShare = 1;

  constructor(limits: ConnectionLimits, refused: RefusedConnections) {
    this.#limits = limits;
    this.#refused = refused;
    this.handshakes = new FairShare(limits.maxHandshakes);
    this.guests = new FairShare(limits.maxGuests);
    this.members = new FairShare(limits.maxMembers);
  }

  /** Makes room for a handshake where it may. Returns the milliseconds until it may; 0 when there is room. */
  handshakeDelayMs(): number {
    if (!this.handshakes.isFull) return 0;
    const [oldest] = this.handshakes.largestGroup();
    if (oldest === undefined) return 0;
    const patienceMs = Math.max(LEAST_PATIENCE_MS, PATIENCE_MS * Math.min(1, this.#completedShare / USUAL_SHARE));
    const leftMs = oldest.atMs + patienceMs - performance.now();
    if (leftMs > 0) return leftMs;
    const { maxHandshakes } = this.#limits;
    this.#close(oldest, "HANDSHAKE_LIMIT", `it is not through its handshake, and ${maxHandshakes} are the most`);
    return 0;
  }

  /**
   * Moves a connection to the place of its user.
   *
   * @returns Why it gets none, and how that counts; undefined when it has one
   */
  assign(
    connection: Connection,
    standing: ConnectionOwner,
  ): { cause: ConnectionRefusalCause; reason: string } | undefined {
    if (this.handshakes.delete(connection)) this.#completedShare += SHARE_WEIGHT * (1 - this.#completedShare);
    this.delete(connection);
    connection.owner = standing;
    const { user, isMember } = standing;
    const refusal = isMember ? this.#makeMemberRoom(user) : undefined;
    if (isMember && refusal === undefined) {
      this.members.add(connection, user);
      return undefined;
    }
    this.#makeGuestRoom();
    this.guests.add(connection, user);
    return refusal;
  }

  /** Forgets a connection. */
  delete(connection: Connection): void {
    if (this.handshakes.delete(connection)) this.#completedShare *= 1 - SHARE_WEIGHT;
    if (!this.guests.delete(connection)) this.members.delete(connection);
  }

  /** Closes a guest, because no descriptor is left. Returns false when there is none. */
  spare(): boolean {
    const guest = longestIdle(this.guests.largestGroup()) ?? first(this.guests.largestGroup());
    if (guest !== undefined) this.#close(guest, "GUEST_LIMIT", "it has no role, and no descriptor is left");
    return guest !== undefined;
  }

  #makeMemberRoom(user: string): { cause: ConnectionRefusalCause; reason: string } | undefined {
    const { maxPerUser, maxMembers } = this.#limits;
    const own = this.members.group(user);
    if (own.size >= maxPerUser) {
      const reason = `user ${JSON.stringify(user)} has ${own.size} connections, the most of one user`;
      const idle = longestIdle(own);
      if (idle === undefined) return { cause: "USER_LIMIT", reason };
      this.#close(idle, "USER_LIMIT", `it is idle, and ${reason}`);
    } else if (this.members.isFull) {
      const largest = this.members.largestGroup();
      const reason = `users have ${maxMembers} connections, the most together`;
      // Who has as many as the newcomer's user is not asked to make room, or the two would push each other out in turns.
      const idle = longestIdle(largest) ?? (largest.size > own.size + 1 ? first(largest) : undefined);
      if (idle === undefined) return { cause: "CONNECTION_LIMIT", reason };
      this.#close(idle, "CONNECTION_LIMIT", `its user has the most, and ${reason}`);
    }
    return undefined;
  }

  #makeGuestRoom(): void {
    if (!this.guests.isFull) return;
    const largest = this.guests.largestGroup();
    const guest = longestIdle(largest) ?? first(largest);
    if (guest === undefined) return;
    this.#close(guest, "GUEST_LIMIT", `clients without a role have ${this.#limits.maxGuests} connections, the most`);
  }

  #close(connection: Connection, cause: ConnectionRefusalCause, reason: string): void {
    this.delete(connection);
    connection.closedWhy = `closed: ${reason}`;
    this.#refused.add(cause, `Closed a connection of ${formatAddress(connection.peer)}: ${reason}`);
    // The connection before the session, so that the client knows it as lost and not as an answer.
    connection.socket.destroy();
    connection.session?.destroy();
  }
}

/** The connection that has been without a call for the longest, if for long enough. */
function longestIdle(connections: ReadonlySet<Connection>): Connection | undefined {
  let found: Connection | undefined;
  for (const connection of connections) {
    if (connection.open === 0 && connection.usedAtMs < (found?.usedAtMs ?? Infinity)) found = connection;
  }
  return found !== undefined && found.usedAtMs <= performance.now() - IDLE_MS ? found : undefined;
}

function first(connections: ReadonlySet<Connection>): Connection | undefined {
  const [connection] = connections;
  return connection;
}
