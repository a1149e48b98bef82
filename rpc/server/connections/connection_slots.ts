/** The slots of accepted connections: for handshakes, guests and members. Each stage has its own fair share. */
import { formatAddress } from "../../shared/address.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { IDLE_MS, LEAST_HANDSHAKE_MS } from "./deadlines.ts";
import { destroyConnection } from "./drain.ts";
import { FairShare, first } from "./fair_share.ts";
import { HoldTime } from "./hold_time.ts";
import type { ConnectionRefusalCause, RefusedConnections } from "./refused_connections.ts";

/** The reason why a connection gets no slot. */
export interface SlotRefusal {
  readonly cause: ConnectionRefusalCause;
  readonly reason: string;
}

/** Assigns slots. When a stage is full, the client with the most connections loses one. */
export class ConnectionSlots {
  readonly #limits: ConnectionLimits;
  readonly #refused: RefusedConnections;
  readonly handshakes: FairShare<Connection>;
  readonly guests: FairShare<Connection>;
  readonly members: FairShare<Connection>;
  readonly #holdTime = new HoldTime(LEAST_HANDSHAKE_MS);

  constructor(limits: ConnectionLimits, refused: RefusedConnections) {
    this.#limits = limits;
    this.#refused = refused;
    this.handshakes = new FairShare(limits.maxHandshakes);
    this.guests = new FairShare(limits.maxGuests);
    this.members = new FairShare(limits.maxMembers);
  }

  /** Makes room for a handshake when that is possible. Returns the milliseconds until then; 0 when there is room. */
  handshakeDelayMs(): number {
    if (!this.handshakes.isFull) return 0;
    const oldest = first(this.handshakes.largestGroup());
    if (oldest === undefined) return 0;
    const leftMs = oldest.atMs + this.#holdTime.ms - performance.now();
    if (leftMs > 0) return leftMs;
    const { maxHandshakes } = this.#limits;
    this.#close(oldest, "HANDSHAKE_LIMIT", `its handshake takes too long, and ${maxHandshakes} are open, the limit`);
    return 0;
  }

  /**
   * Moves a connection to the slots of its owner.
   *
   * @returns Why a member gets no slot. The connection is then a guest. Undefined when it has a slot
   */
  assign(connection: Connection, owner: ConnectionOwner): SlotRefusal | undefined {
    if (this.handshakes.delete(connection)) this.#holdTime.succeeded();
    this.delete(connection);
    connection.owner = owner;
    const { user, isMember } = owner;
    const refusal = isMember ? this.#makeMemberRoom(user) : undefined;
    if (isMember && refusal === undefined) {
      this.members.add(connection, user);
      return undefined;
    }
    this.#makeGuestRoom();
    this.guests.add(connection, user);
    return refusal;
  }

  /** Frees the slot of a connection. */
  delete(connection: Connection): void {
    if (this.handshakes.delete(connection)) this.#holdTime.failed();
    if (!this.guests.delete(connection)) this.members.delete(connection);
  }

  /** Closes a connection of a guest to free a descriptor. Returns false when there is none. */
  closeGuest(): boolean {
    const guest = longestIdle(this.guests.largestGroup()) ?? first(this.guests.largestGroup());
    if (guest !== undefined) this.#close(guest, "GUEST_LIMIT", "it has no role, and no descriptor is left");
    return guest !== undefined;
  }

  #makeMemberRoom(user: string): SlotRefusal | undefined {
    const { maxPerUser, maxMembers } = this.#limits;
    const own = this.members.group(user);
    if (own.size >= maxPerUser) {
      const reason = `user ${JSON.stringify(user)} has ${own.size} connections, the most of one user`;
      const idle = longestIdle(own);
      if (idle === undefined) return { cause: "USER_LIMIT", reason };
      this.#close(idle, "USER_LIMIT", `it is idle, and ${reason}`);
    } else if (this.members.isFull) {
      const largest = this.members.largestGroup();
      const reason = `users have ${maxMembers} connections, the limit`;
      // A user with as many connections as this one keeps all. Otherwise the two would close each other's in turn.
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
    this.#close(guest, "GUEST_LIMIT", `clients without a role have ${this.#limits.maxGuests} connections, the limit`);
  }

  #close(connection: Connection, cause: ConnectionRefusalCause, reason: string): void {
    this.delete(connection);
    connection.closedWhy = `closed: ${reason}`;
    this.#refused.add(cause, `Closed a connection of ${formatAddress(connection.peer)}: ${reason}`);
    destroyConnection(connection);
  }
}

/** Returns the connection that has been idle the longest. Undefined when no connection is idle. */
function longestIdle(connections: ReadonlySet<Connection>): Connection | undefined {
  let found: Connection | undefined;
  for (const connection of connections) {
    if (connection.open === 0 && connection.usedAtMs < (found?.usedAtMs ?? Infinity)) found = connection;
  }
  return found !== undefined && found.usedAtMs <= performance.now() - IDLE_MS ? found : undefined;
}
