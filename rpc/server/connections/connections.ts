/** The open connections of a server, from accept to close. It joins the parts of this folder. */
import { lookup } from "node:dns/promises";
import type { Http2SecureServer, ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { ListenSocket } from "../../compat/listen_socket.ts";
import { tcpSocketOf } from "../../compat/secure_server.ts";
import { type Address, formatAddress } from "../../shared/address.ts";
import { AddressCounts } from "./address_counts.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { ConnectionSlots } from "./connection_slots.ts";
import { GOAWAY_GRACE_MS } from "./deadlines.ts";
import { destroyConnection } from "./drain.ts";
import { type HandshakeFailure, rememberOrigin } from "./handshake_failures.ts";
import { listenError } from "./listen_error.ts";
import { Listener } from "./listener.ts";
import { type ConnectionRefusalCause, type RefusedConnection, RefusedConnections } from "./refused_connections.ts";
import { Sessions } from "./sessions.ts";
import type { PendingConnection } from "./waiting_connections.ts";

/** Figures about the connections of a server. */
export interface ConnectionStatistics {
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Open connections by stage; see `connection_limits.ts`. */
  readonly open: {
    readonly waiting: number;
    readonly handshakes: number;
    readonly guests: number;
    readonly members: number;
  };
  /** Connections closed or not accepted since the start, by cause. */
  readonly refused: Readonly<Record<ConnectionRefusalCause, number>>;
}

/** The functions of the server that connections use. */
export interface ConnectionsOptions {
  readonly limits: ConnectionLimits;
  /** Starts a handshake. */
  readonly take: (socket: Socket) => void;
  /** Returns the client at the other end of a session. */
  readonly ownerOf: (session: ServerHttp2Session) => ConnectionOwner;
  /** Called for each connection that a limit or an error closed. */
  readonly onRefused: (refused: RefusedConnection) => void;
  /** Called for connections that end before their handshake starts. */
  readonly onHandshakeFailure: (failure: HandshakeFailure) => void;
  /** Called for errors that are defects. */
  readonly onError: (error: unknown) => void;
}

/** Accepts connections, gives them slots, and closes them. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #refused: RefusedConnections;
  readonly #addresses: AddressCounts;
  readonly #slots: ConnectionSlots;
  #listener: Listener | undefined;
  readonly #bySocket = new Map<unknown, Connection>();
  /** The connection that has completed TLS and whose session is created next. */
  #secured: Connection | undefined;
  readonly sessions: Sessions;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#refused = new RefusedConnections(options.onRefused);
    this.#addresses = new AddressCounts(options.limits.maxPerAddress);
    this.#slots = new ConnectionSlots(options.limits, this.#refused);
    this.sessions = new Sessions({ slots: this.#slots, refused: this.#refused, ownerOf: options.ownerOf });
  }

  /** The number of open connections. */
  get size(): number {
    return this.#bySocket.size + (this.#listener?.waiting ?? 0);
  }

  get statistics(): ConnectionStatistics {
    const { handshakes, guests, members } = this.#slots;
    return {
      accepted: this.#listener?.accepted ?? 0,
      open: {
        waiting: this.#listener?.waiting ?? 0,
        handshakes: handshakes.size,
        guests: guests.size,
        members: members.size,
      },
      refused: { ...this.#refused.counts },
    };
  }

  /** Counts the sessions of a server. Called once. */
  watch(server: Http2SecureServer): void {
    server.prependListener("secureConnection", (socket: TLSSocket) => {
      this.#secured = this.#bySocket.get(tcpSocketOf(socket));
    });
    server.on("tlsClientError", () => this.#refused.count("HANDSHAKE_FAILED"));
    server.on("unknownProtocol", (socket: TLSSocket) => {
      this.#refused.add("NO_HTTP2", "Closed a connection whose TLS does not offer HTTP/2 (ALPN h2)");
      socket.destroy();
    });
    server.on("session", (session) => {
      const connection = this.#secured;
      this.#secured = undefined;
      this.sessions.begin(session, connection);
      // A handshake slot is free now.
      this.#listener?.nudge();
    });
  }

  /**
   * Starts to accept.
   *
   * @param descriptor a socket that listens on the address already, in place of a new one
   * @returns The address, with the port that the system picked for 0
   * @throws {AddressError} when the server cannot listen on the address
   */
  async listen(address: Address, descriptor?: number): Promise<Address> {
    const { limits, onHandshakeFailure, onError } = this.#options;
    try {
      const { address: ip } = await lookup(address.host);
      const socket = new ListenSocket(descriptor ?? { host: ip, port: address.port });
      this.#listener = new Listener(socket, {
        maxWaiting: limits.maxWaiting,
        refused: this.#refused,
        addresses: this.#addresses,
        handshakeDelayMs: () => this.#slots.handshakeDelayMs(),
        begin: (pending) => this.#handshake(pending, socket),
        freeDescriptor: () => this.#slots.closeGuest(),
        onEnd: (peer, reason) => onHandshakeFailure({ peer: formatAddress(peer), reason }),
        onError,
      });
      return { host: address.host, port: socket.address.port };
    } catch (error) {
      throw listenError(error, address);
    }
  }

  /**
   * Stops to accept, and closes each connection after its calls have ended and were read.
   *
   * @param graceMs the longest time for open calls, in milliseconds
   * @param endCalls ends the calls that are open after that; connections of calls that stay open are destroyed
   */
  async close(graceMs: number, endCalls: () => void): Promise<void> {
    this.sessions.refuseNew();
    const stopped = this.#listener?.close();
    const ended = Promise.all([...this.#bySocket.values()].map(({ socket }) =>
      new Promise<void>((resolve) => {
        if (socket.closed) resolve();
        else socket.once("close", () => resolve());
      })
    ));
    // A connection in its handshake has no calls.
    for (const { session, socket } of this.#bySocket.values()) if (session === undefined) socket.destroy();
    this.sessions.drain();
    let timer = setTimeout(() => {
      endCalls();
      timer = setTimeout(() => this.#destroyAll(), GOAWAY_GRACE_MS);
    }, graceMs);
    await ended;
    clearTimeout(timer);
    await stopped;
  }

  #destroyAll(): void {
    for (const connection of this.#bySocket.values()) destroyConnection(connection);
  }

  #handshake({ descriptor, peer, group }: PendingConnection, listening: ListenSocket): void {
    let socket: Socket;
    try {
      socket = listening.socketOf(descriptor);
    } catch (error) {
      this.#addresses.remove(group);
      throw error;
    }
    const atMs = performance.now();
    const connection: Connection = { peer, group, socket, atMs, open: 0, usedAtMs: atMs, endedAtMs: -Infinity };
    this.#bySocket.set(socket, connection);
    this.#slots.handshakes.add(connection, group);
    socket.once("close", () => this.#ended(connection));
    // A broken connection also emits "close", and is not an error of the server.
    socket.on("error", () => {});
    // Small messages, such as a status, must not wait for more data.
    socket.setNoDelay(true);
    rememberOrigin(socket, formatAddress(peer), () => connection.closedWhy);
    this.#options.take(socket);
  }

  #ended(connection: Connection): void {
    clearTimeout(connection.idleTimer);
    this.#bySocket.delete(connection.socket);
    this.#slots.delete(connection);
    this.#addresses.remove(connection.group);
    this.#listener?.nudge();
  }
}
