/**
 * Listens for node hosts. It shares the accept loop with the server of the users: a silent connection costs a descriptor,
 * and is closed after a while. TLS starts only for connections that have sent a whole record, a few at a time.
 */
import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { lookup } from "node:dns/promises";
import type { Logger } from "../../base/logger.ts";
import { errorMessage } from "../../base/error_message.ts";
import { ListenSocket } from "../../rpc/compat/listen_socket.ts";
import { freeEncrypted } from "../../rpc/compat/received_memory.ts";
import { tcpSocketOf } from "../../rpc/compat/secure_server.ts";
import { AddressCounts } from "../../rpc/server/connections/address_counts.ts";
import { Listener } from "../../rpc/server/connections/listener.ts";
import { RefusedConnections } from "../../rpc/server/connections/refused_connections.ts";
import type { PendingConnection } from "../../rpc/server/connections/waiting_connections.ts";
import type { LimitedLog } from "../log/limited_log.ts";
import type { Address } from "../../rpc/shared/address.ts";
import { formatAddress } from "../../rpc/shared/address.ts";

/** The most connections that have not begun TLS. */
const MAX_WAITING = 256;
/** The most handshakes at once. */
const MAX_HANDSHAKES = 64;
/** The time that a host has for the handshake, in milliseconds. */
const HANDSHAKE_MS = 10_000;
/** When a handshake that waits for another one is tried again, in milliseconds. The end of a handshake is sooner. */
const HANDSHAKE_RETRY_MS = 1_000;

/** Options of the listener. */
export interface NodeListenerOptions {
  readonly listen: Address;
  /** The authority of hosts, and the certificate and key of the gateway, in PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Receives each connection after its handshake. Its certificate is not checked. */
  readonly onSecure: (socket: TLSSocket, peer: string) => void;
  readonly log: Logger;
  /** Receives what strangers cause. */
  readonly limitedLog: LimitedLog;
}

/** The listener for node hosts. */
export class NodeListener {
  readonly #listener: Listener;
  readonly #handshakes = new Map<object, { readonly peer: string; readonly timer: ReturnType<typeof setTimeout> }>();
  readonly #server: ReturnType<typeof createServer>;
  /** The port that it listens on. */
  readonly port: number;

  private constructor(socket: ListenSocket, { ca, cert, key, onSecure, log, limitedLog }: NodeListenerOptions) {
    this.port = socket.address.port;
    const addresses = new AddressCounts(Infinity); // All nodes may share one address.
    this.#server = createServer({
      ca,
      cert,
      key,
      requestCert: true,
      // Deno would close the connection before the reason can be read. The caller checks the certificate.
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
    }, (socket) => {
      const tcpSocket = tcpSocketOf(socket);
      const peer = this.#ended(tcpSocket);
      if (tcpSocket !== undefined) freeEncrypted(tcpSocket as Socket);
      socket.on("error", () => {}); // The stream of the connection ends too.
      if (peer !== undefined) onSecure(socket, peer);
      else socket.destroy(); // Its time was over.
    });
    this.#server.on("tlsClientError", () => {}); // The connection is closed.
    this.#listener = new Listener(socket, {
      maxWaiting: MAX_WAITING,
      refused: new RefusedConnections(({ cause, text }) => limitedLog.warn(cause, text)),
      addresses,
      handshakeDelayMs: () => this.#handshakes.size < MAX_HANDSHAKES ? 0 : HANDSHAKE_RETRY_MS,
      begin: (pending) => this.#begin(socket, pending, addresses),
      freeDescriptor: () => false,
      onEnd: () => {},
      onError: (error) => log.error(`Cannot accept node hosts: ${errorMessage(error)}`),
    });
  }

  /**
   * Begins to listen.
   *
   * @throws the error of the system when the address cannot be used
   */
  static async open(options: NodeListenerOptions): Promise<NodeListener> {
    const { address: host } = await lookup(options.listen.host);
    return new NodeListener(new ListenSocket({ host, port: options.listen.port }), options);
  }

  #begin(listening: ListenSocket, { descriptor, peer, group }: PendingConnection, addresses: AddressCounts): void {
    addresses.remove(group);
    const socket: Socket = listening.socketOf(descriptor);
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    this.#handshakes.set(socket, { peer: formatAddress(peer), timer });
    socket.once("close", () => this.#ended(socket));
    socket.on("error", () => {}); // It is followed by the close.
    socket.setNoDelay(true);
    this.#server.emit("connection", socket);
  }

  /** Notes the end of a handshake. Returns the peer, unless it was noted before. */
  #ended(socket: object | undefined): string | undefined {
    const handshake = socket && this.#handshakes.get(socket);
    if (socket === undefined || handshake === undefined) return undefined;
    clearTimeout(handshake.timer);
    this.#handshakes.delete(socket);
    this.#listener.nudge();
    return handshake.peer;
  }

  /** Accepts no more connections. Connections after their handshake stay. */
  async close(): Promise<void> {
    for (const [socket] of this.#handshakes) (socket as Socket).destroy();
    await this.#listener.close();
  }
}
