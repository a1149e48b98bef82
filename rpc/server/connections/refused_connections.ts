/** Counts connections that a limit or an error closed, by cause. */

/** The causes. They are stable: metrics use them as names. */
const CONNECTION_REFUSAL_CAUSES = [
  /** It did not start TLS while the slots for waiting connections were full. */
  "WAITING_LIMIT",
  /** It did not start TLS in time. */
  "SILENT",
  /** Its handshake took long while the slots for handshakes were full. */
  "HANDSHAKE_LIMIT",
  /** Its TLS handshake failed, or did not end in time. */
  "HANDSHAKE_FAILED",
  /** Its certificate has no role, and the slots of such clients were full. */
  "GUEST_LIMIT",
  /** Its certificate has no role, and it made no call for a while. */
  "GUEST_IDLE",
  /** Its user had the most connections a user may have. */
  "USER_LIMIT",
  /** The slots of users were full, and its user had the most. */
  "CONNECTION_LIMIT",
  /** Its address had the most connections an address may have. */
  "ADDRESS_LIMIT",
  /** A call on it was refused, and too many other calls of its user were. */
  "REFUSED_CALLS",
  /** It completed TLS and did not speak HTTP/2. */
  "NO_HTTP2",
  /** The system had no descriptor or memory for it. It waits in the kernel, or an older connection was closed. */
  "SHORTAGE",
  /** It ended before it was accepted, or accept failed for another reason. */
  "ACCEPT_FAILED",
] as const;

/** The cause of a closed connection. */
export type ConnectionRefusalCause = typeof CONNECTION_REFUSAL_CAUSES[number];

/** A connection that was closed or not accepted. */
export interface RefusedConnection {
  readonly cause: ConnectionRefusalCause;
  /** A line for the log. */
  readonly text: string;
}

/** Counts refused connections by cause. */
export class RefusedConnections {
  /** The number of each cause since the start. */
  readonly counts: Record<ConnectionRefusalCause, number>;
  readonly #report: (refused: RefusedConnection) => void;

  /** @param report receives each connection; it must limit the lines it writes */
  constructor(report: (refused: RefusedConnection) => void) {
    this.#report = report;
    this.counts = Object.fromEntries(CONNECTION_REFUSAL_CAUSES.map((cause) => [cause, 0])) as Record<
      ConnectionRefusalCause,
      number
    >;
  }

  /** Counts and reports a connection. */
  add(cause: ConnectionRefusalCause, text: string): void {
    this.counts[cause] += 1;
    this.#report({ cause, text });
  }

  /** Counts a connection without a line for the log. */
  count(cause: ConnectionRefusalCause): void {
    this.counts[cause] += 1;
  }
}
