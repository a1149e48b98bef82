/** How many connections a server has at once, and how they are shared out. */

/** What a person may set. */
export interface ConnectionOptions {
  /** Connections at once, of all kinds. Default 1,000. */
  readonly maxConnections?: number;
  /** TLS handshakes at once. Default an eighth of all connections. */
  readonly maxHandshakes?: number;
  /** Connections of one user at once. Default three quarters of what users have together. */
  readonly maxConnectionsPerUser?: number;
  /** Connections of one address at once. Default no limit: everybody behind a proxy has the same address. */
  readonly maxConnectionsPerAddress?: number;
}

/**
 * The shares. They never overlap, so no class of clients can take another's: users always find room for their
 * connections, and newcomers for their handshakes.
 */
export interface ConnectionLimits {
  /** Connections whose TLS handshake has not begun. They cost a descriptor and no more. */
  readonly maxWaiting: number;
  /** TLS handshakes that have begun. */
  readonly maxHandshakes: number;
  /** Connections of certificates that may do nothing but ask for health. */
  readonly maxGuests: number;
  /** Connections of users. */
  readonly maxMembers: number;
  /** Connections of one user. */
  readonly maxPerUser: number;
  /** Connections of one address, of all kinds. */
  readonly maxPerAddress: number;
}

/** The least that leaves each share a few. */
export const MIN_CONNECTIONS = 16;

const DEFAULT_MAX_CONNECTIONS = 1_000;

/**
 * Shares connections out: a quarter for newcomers that wait, an eighth for handshakes, a sixteenth for guests, and the
 * rest, more than half, for users. One user has three quarters of that at most: then another still gets in.
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
