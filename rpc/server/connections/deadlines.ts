/**
 * The deadlines of a connection in milliseconds, in the order of its life. The times between pings are in
 * `rpc/shared/keepalive.ts`.
 */

/**
 * How long a connection may be silent after accept. A TLS client sends first, right after it connects. This is as long as
 * a handshake may take.
 */
export const SILENT_MS = 10_000;

/** While others need its slot, a silent connection keeps it at least this long. */
export const LEAST_SILENT_MS = 100;

/**
 * How long a TLS handshake may take. It takes 10 ms, and 1 s over a poor network. A connection that waits longer holds a
 * descriptor for nothing.
 */
export const HANDSHAKE_MS = 10_000;

/** While others need its slot, a handshake keeps it at least this long. */
export const LEAST_HANDSHAKE_MS = 250;

/**
 * How long a silent connection or a handshake normally keeps its slot while others need it. It is enough for one round
 * trip of a TLS handshake.
 */
export const USUAL_HOLD_MS = 500;

/**
 * How long a client may take for its HTTP/2 settings after the handshake. It sends them with its first bytes. Source: RFC
 * 9113, section 3.4.
 */
export const SETTINGS_MS = 10_000;

/** The first call of a new client arrives within this time, also over a slow network. */
export const FIRST_CALL_MS = 2_000;

/** How long a guest may make no call. It has no reason to stay: it asks for health, or learns that it may do nothing else. */
export const GUEST_IDLE_MS = 5_000;

/**
 * A connection without a call for this long is idle, and may lose its slot to another. A new client makes its first call
 * sooner.
 */
export const IDLE_MS = 5_000;

/**
 * How long a connection stays open after the end of its last call. A grpc-js client that gets GOAWAY loses data that it
 * has received and not read, also the end of calls. Only the slowest readers need longer.
 */
export const READING_MS = 500;

/**
 * The time between GOAWAY, or the last status, and the end of a connection. A client that does not read misses the
 * reason.
 */
export const GOAWAY_GRACE_MS = 250;
