/**
 * The HTTP/2 receive window: how many bytes a client may send before the server reads them. The default of 64 KiB would
 * carry 0.6 MB/s of a job's input over a round trip of 100 ms. Source: RFC 9113, section 5.2
 */
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";

/**
 * The window of a stream, and of a connection, in bytes. A job that does not read its input holds that much in the
 * server. Measured over 100 ms: 0.36 MB/s with 64 KiB, 1.2 with 256 KiB, 2.4 with this value.
 */
const WINDOW_BYTES = 512 * 1024;

/**
 * The window of a sender whose requests are read. Client and server then wait for each other less often, and fewer
 * messages about the window are sent.
 */
const WIDE_BYTES = 2 * 1024 * 1024;

/** The bytes of one call that were read before its window grows. */
const MIN_READ_BYTES = 2 * 1024 * 1024;

/** The most open calls of a connection with a wide window. Each of them may stall with the whole window. */
const MAX_CALLS = 4;

/** The most connections with wide windows. */
const MAX_WIDE = 16;

/** Widens the receive windows of connections while their requests are read. */
export class SenderWindows {
  readonly #wide = new Set<ServerHttp2Session>();
  /** Connections whose end is listened to. A connection can be wide several times. */
  readonly #known = new WeakSet<ServerHttp2Session>();

  /**
   * Sets the window of a connection after one of its calls has begun, or was read.
   *
   * @param calls the open calls of the connection
   * @param readBytes the bytes of the call that were read
   */
  adjust(session: ServerHttp2Session, calls: number, readBytes: number): void {
    const isWide = this.#wide.has(session);
    const mayGrow = readBytes >= MIN_READ_BYTES && calls <= MAX_CALLS && this.#wide.size < MAX_WIDE;
    if (isWide ? calls <= MAX_CALLS : !mayGrow) return;
    // A peer may answer settings late, and each change is one more.
    if (session.destroyed || session.pendingSettingsAck) return;
    if (isWide) this.#wide.delete(session);
    else this.#wide.add(session);
    const bytes = isWide ? WINDOW_BYTES : WIDE_BYTES;
    // These take effect for open calls too.
    session.settings({ initialWindowSize: bytes });
    session.setLocalWindowSize(bytes);
    if (this.#known.has(session)) return;
    this.#known.add(session);
    session.once("close", () => this.#wide.delete(session));
  }
}

/** Sets the receive window of all sessions of a server. */
export function widenReceiveWindows(server: Http2SecureServer): void {
  server.on("session", (session) => {
    if (session.destroyed) return;
    session.settings({ initialWindowSize: WINDOW_BYTES });
    session.setLocalWindowSize(WINDOW_BYTES);
  });
}
