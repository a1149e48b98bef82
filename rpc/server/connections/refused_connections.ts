/** Connections that a limit or an error closed: why, and how many for each reason. */

/** Why a connection was closed. Stable: metrics are named by it. */
export const CONNECTION_REFUSAL_CAUSES = [
  /** It did not begin TLS while the share for newcomers was full. */
  "WAITING_LIMIT",
  /** It did not begin TLS until its time was over. */
  "SILENT",
  /** Its handshake took long while the share for handshakes was full. */
  "HANDSHAKE_LIMIT",
  /** Its TLS handshake failed, or was not over in time. */
  "HANDSHAKE_FAILED",
  /** Its certificate has no role, and the share of such clients was full. */
  "GUEST_LIMIT",
  /** Its certificate has no role, and it made no call for a while. */
  "GUEST_IDLE",
  /** Its user had as many connections as one may have. */
  "USER_LIMIT",
  /** The share of users was full, and its user had the most of it. */
  "CONNECTION_LIMIT",
  /** Its address had as many connections as one may have. */
  "ADDRESS_LIMIT",
  /** A call on it was refused, and so were too many others of its user. */
  "REFUSED_CALLS",
  /** It spoke TLS and then no HTTP/2. */
  "NO_HTTP2",
  /** The system had no descriptor or memory for it. It waits in the kernel, or an older one made room. */
  "SHORTAGE",
  /** It was gone before it was accepted, or the system could not give it for another reason. */
  "ACCEPT_FAILED",
] as const;

/** See {@linkcode CONNECTION_REFUSAL_CAUSES}. */
export type ConnectionRefusalCause = typeof CONNECTION_REFUSAL_CAUSES[number];

/** A connection that was closed, or not accepted. */
export interface RefusedConnection {
  readonly cause: ConnectionRefusalCause;
  /** A line for the log. */
  readonly text: string;
}

/** Counts refused connections by cause. */
export class RefusedConnections {
  /** Since the start. */
  readonly counts: Record<ConnectionRefusalCause, number>;
  readonly #tell: (refused: RefusedConnection) => void;

  /** @param tell Called for each; must limit what it writes */
  constructor(tell: (refused: RefusedConnection) => void) {
    this.#tell = tell;
    this.counts = Object.fromEntries(CONNECTION_REFUSAL_CAUSES.map((cause) => [cause, 0])) as Record<
      ConnectionRefusalCause,
      number
    >;
  }

  /** Counts one, and passes it on. */
  add(cause: ConnectionRefusalCause, text: string): void {
    this.counts[cause] += 1;
    this.#tell({ cause, text });
  }

  /** Counts one without a line for the log. */
  count(cause: ConnectionRefusalCause): void {
    this.counts[cause] += 1;
  }
}
