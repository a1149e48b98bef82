/**
 * How both sides notice that the other has vanished: HTTP/2 pings on connections with open calls. Source: RFC 9113,
 * section 6.7; https://grpc.io/docs/guides/keepalive/
 */

/**
 * A ping this often, in milliseconds. Networks between forget quiet connections after minutes; servers of other makes
 * call pings within less than a minute abuse.
 */
export const KEEPALIVE_MS = 60_000;

/** A peer that has not answered a ping after this long, in milliseconds, is gone. */
export const KEEPALIVE_TIMEOUT_MS = 20_000;
