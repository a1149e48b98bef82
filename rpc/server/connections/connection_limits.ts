/**
 * How many connections a server has at once, and how clients share them.
 *
 * A connection passes up to three stages, each with slots of its own: waiting (`listener.ts`), handshake, and guest or
 * member (`connection_slots.ts`). A guest is a client whose certificate has no role; a member is a user with a role.
 */

/** The limits that the operator sets. */
export interface ConnectionOptions {
  /** All connections at once. Default 1,000. */
  readonly maxConnections?: number;
  /** TLS handshakes at once. Default an eighth of all connections. */
  readonly maxHandshakes?: number;
  /** Connections of one user at once. Default three quarters of the connections of all users. */
  readonly maxConnectionsPerUser?: number;
  /** Connections of one address at once. Default no limit, because all clients of a proxy have one address. */
  readonly maxConnectionsPerAddress?: number;
}

/**
 * The number of slots of each stage. No stage can use the slots of another. So users always find room for their
 * connections, and new clients for their handshakes.
 */
export interface ConnectionLimits {
  /** Connections whose TLS handshake has not started. Each costs one descriptor and no memory for TLS. */
  readonly maxWaiting: number;
  /** TLS handshakes in progress. */
  readonly maxHandshakes: number;
  /** Connections of guests. */
  readonly maxGuests: number;
  /** Connections of members. */
  readonly maxMembers: number;
  /** Connections of one member. */
  readonly maxPerUser: number;
  /** Connections of one address, in all stages. */
  readonly maxPerAddress: number;
}

/** The smallest total: it leaves each stage some slots. */
export const MIN_CONNECTIONS = 16;

const DEFAULT_MAX_CONNECTIONS = 1_000;

/** Calls at once on one connection. A call takes a few kilobytes. Further calls wait in the client. */
export const MAX_CALLS_PER_CONNECTION = 2_000;

/**
 * Calls at once on a connection of a guest, who may only ask for health. RFC 9113, section 6.5.2, advises no smaller
 * value. A client that makes more calls before it has read this value loses them (REFUSED_STREAM).
 */
export const MAX_CALLS_OF_GUEST = 100;

/**
 * Divides the connections: a quarter waits, an eighth is in handshakes, a sixteenth is for guests. Members get the
 * rest, more than half. One member gets three quarters of that at most, so that another member still finds room.
 */
export function connectionLimits(options: ConnectionOptions): ConnectionLimits {
  const total = Math.max(MIN_CONNECTIONS, options.maxConnections ?? DEFAULT_MAX_CONNECTIONS);
  const maxWaiting = total >> 2;
  const maxHandshakes = Math.min(options.maxHandshakes ?? total >> 3, total >> 1);
  const maxGuests = total >> 4;
  const maxMembers = total - maxWaiting - maxHandshakes - maxGuests;
  const maxPerUser = options.maxConnectionsPerUser ?? Math.ceil(maxMembers * 3 / 4);
  return {
    maxWaiting,
    maxHandshakes,
    maxGuests,
    maxMembers,
    maxPerUser,
    maxPerAddress: options.maxConnectionsPerAddress ?? total,
  };
}
