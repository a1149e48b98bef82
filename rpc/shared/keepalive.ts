/**
 * How both sides detect that the other is gone: HTTP/2 pings on connections with open calls. Sources: RFC 9113, section
 * 6.7; https://grpc.io/docs/guides/keepalive/
 */

/**
 * The time between pings, in milliseconds. Networks drop quiet connections after minutes. Other gRPC servers treat more
 * than one ping a minute as abuse.
 */
export const KEEPALIVE_MS = 60_000;

/** The time until a peer must answer a ping, in milliseconds. */
export const KEEPALIVE_TIMEOUT_MS = 20_000;
