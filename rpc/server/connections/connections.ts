/** The open connections of one server: bounded in number, told to go away, and cut off when they do not. */
import { lookup } from "node:dns/promises";
import http2, { type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { LimitReachedError } from "../../../mod.ts";
import { type Address, formatAddress } from "../../shared/address.ts";
import { ignoreStreams } from "../../compat/ignore_streams.ts";
import { ListenSocket } from "../../compat/listen_socket.ts";
import type { HandshakeFailure } from "./handshake_failures.ts";
import { rememberOrigin } from "./handshake_failures.ts";
import { AddressCounts } from "./address_counts.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { closeWhenDrained, destroyAfterGrace, destroyConnection, GOAWAY_GRACE_MS } from "./drain.ts";
import { listenError } from "./listen_error.ts";
import { Listener, type PendingConnection } from "./listener.ts";
import { type Connection, type ConnectionOwner, ConnectionSlots } from "./connection_slots.ts";
import { type CallOutcome, MAX_REFUSED_CALLS, RefusedCalls } from "../limits/refused_calls.ts";
import { RefusedConnections } from "./refused_connections.ts";
import type { ConnectionRefusalCause, RefusedConnection } from "./refused_connections.ts";

/** A client sends its settings with its first bytes after the handshake (RFC 9113, section 3.4). */
const SETTINGS_MS = 10_000;

/** A client without a role has nothing to stay for. It asks for health, or learns that it may do nothing else. */
const GUEST_IDLE_MS = 5_000;

/**
 * Calls at a time of a client without a role, which may only ask for health. Source: RFC 9113, section 6.5.2, advises no
 * less. A client that begins more before it has read this loses them (REFUSED_STREAM).
 */
const GUEST_STREAMS = 100;

/** A call is a few kilobytes. More than this on one connection wait in the client until others have ended. */
export const MAX_CALLS_PER_CONNECTION = 2_000;

// A new client's first call is on its way for as long as a round trip takes, and longer where the client is busy.
const FIRST_CALL_MS = 2_000;

/** What a server's connections are and were. */
export interface ConnectionStatistics {
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Connections now. */
  readonly open: {
    /** Have not begun their handshake. */
    readonly waiting: number;
    readonly handshakes: number;
    /** May do nothing but ask for health. */
    readonly guests: number;
    readonly members: number;
  };
  /** Connections closed or not accepted since the start, by cause. */
  readonly refused: Readonly<Record<ConnectionRefusalCause, number>>;
}

/** What connections need of the server. */
export interface ConnectionsOptions {
  readonly limits: ConnectionLimits;
  /** Begins a handshake. */
  readonly take: (socket: Socket) => void;
  /** Who is at the other end of a session. */
  readonly ownerOf: (session: ServerHttp2Session) => ConnectionOwner;
  /** Called for each connection that is closed by a limit or an error. */
  readonly onRefused: (refused: RefusedConnection) => void;
  /** Called for connections that end before their handshake begins. */
  readonly onHandshakeFailure: (failure: HandshakeFailure) => void;
  /** Called for errors that are defects. */
  readonly onError: (error: unknown) => void;
}

/** Accepts connections and keeps count of them and of the HTTP/2 sessions made on them. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #refused: RefusedConnections;
  readonly #addresses: AddressCounts;
  readonly #slots: ConnectionSlots;
  #listener: Listener | undefined;
  readonly #bySocket = new Map<unknown, Connection>();
  readonly #bySession = new Map<ServerHttp2Session, Connection>();
  /** The connection whose TLS is through and whose session is made now. */
  #secured: Connection | undefined;
  readonly #refusals = new WeakMap<object, LimitReachedError>();
  readonly #refusedCalls = new RefusedCalls();
  /** The stream that was judged last. grpc-js has each judged before the listeners of its session see it. */
  #judged: object | undefined;
  #verdict: CallOutcome = "REFUSED";
  #closing = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#refused = new RefusedConnections(options.onRefused);
    this.#addresses = new AddressCounts(options.limits.maxPerAddress);
    this.#slots = new ConnectionSlots(options.limits, this.#refused);
  }

  /** How many are open. */
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

  /** Why the calls of a session are refused, whatever they are. */
  refusalOf(session: object): LimitReachedError | undefined {
    return this.#refusals.get(session);
  }

  /** Notes what became of the call of a stream. A call that grpc-js refuses by itself has no verdict. */
  judge(stream: object | undefined, verdict: CallOutcome): void {
    this.#judged = stream;
    this.#verdict = verdict;
  }

  /** Keeps count of the sessions of a server. */
  watch(server: Http2SecureServer): void {
    server.prependListener("secureConnection", (socket: TLSSocket) => {
      const { _parent: parent } = socket as unknown as { _parent?: unknown };
      this.#secured = this.#bySocket.get(parent);
    });
    server.on("tlsClientError", () => this.#refused.count("HANDSHAKE_FAILED"));
    server.on("unknownProtocol", (socket: TLSSocket) => {
      this.#refused.add("NO_HTTP2", "Closed a connection whose TLS does not offer HTTP/2 (ALPN h2)");
      socket.destroy();
    });
    server.on("session", (session) => this.#begin(session));
  }

  /**
   * Starts to accept.
   *
   * @returns The address, with the port that was picked where 0 was asked for
   * @throws {AddressError} When the address cannot be listened on
   */
  async listen(address: Address): Promise<Address> {
    const { limits, onHandshakeFailure, onError } = this.#options;
    try {
      const { address: ip } = await lookup(address.host);
      const socket = new ListenSocket({ host: ip, port: address.port });
      this.#listener = new Listener(socket, {
        maxWaiting: limits.maxWaiting,
        refused: this.#refused,
        addresses: this.#addresses,
        handshakeDelayMs: () => this.#slots.handshakeDelayMs(),
        begin: (newcomer) => this.#handshake(newcomer, socket),
        spare: () => this.#slots.spare(),
        onEnd: (peer, reason) => onHandshakeFailure({ peer: formatAddress(peer), reason }),
        onError,
      });
      return { host: address.host, port: socket.address.port };
    } catch (error) {
      throw listenError(error, address);
    }
  }

  /** Looks again at who is a member, because the policy or the trusted authorities have changed. */
  reclassify(): void {
    for (const [session, connection] of this.#bySession) {
      const standing = this.#options.ownerOf(session);
      const { user, isMember } = connection.owner ?? {};
      if (standing.user !== user || standing.isMember !== isMember) this.#place(session, connection, standing);
    }
  }

  /**
   * Says GOAWAY to some, and cuts off after a moment what they have not ended by then.
   *
   * @param meant Which
   */
  expel(meant: (session: ServerHttp2Session) => boolean): void {
    for (const [session, connection] of [...this.#bySession].filter(([session]) => meant(session))) {
      session.close();
      destroyAfterGrace(connection);
    }
  }

  /**
   * Stops accepting, and ends each connection when its calls have ended and were read.
   *
   * @param graceMs How long at most
   * @param endCalls Ends the calls that are open after that; those it cannot end are cut off
   */
  async close(graceMs: number, endCalls: () => void): Promise<void> {
    this.#closing = true;
    const stopped = this.#listener?.close();
    const ended = Promise.all([...this.#bySocket.values()].map(({ socket }) =>
      new Promise<void>((resolve) => {
        if (socket.closed) resolve();
        else socket.once("close", () => resolve());
      })
    ));
    // A connection still in its handshake has no calls to wait for.
    for (const { session, socket } of this.#bySocket.values()) if (session === undefined) socket.destroy();
    for (const [session, connection] of this.#bySession) closeWhenDrained(session, connection);
    let timer = setTimeout(() => {
      endCalls();
      timer = setTimeout(() => this.#cut(), GOAWAY_GRACE_MS);
    }, graceMs);
    await ended;
    clearTimeout(timer);
    await stopped;
  }

  #cut(): void {
    for (const connection of this.#bySocket.values()) destroyConnection(connection);
  }

  /** Ends a new session once its first call was answered and read, or none has come. */
  cutAfterAnswer(session: ServerHttp2Session): void {
    const connection = this.#bySession.get(session);
    if (connection === undefined) return;
    // With GOAWAY first, so that a call on its way then goes to another connection and is not lost.
    const end = () => {
      session.close();
      destroyAfterGrace(connection);
    };
    let timer = setTimeout(end, FIRST_CALL_MS);
    session.once("close", () => clearTimeout(timer));
    session.once("stream", (stream) =>
      stream.once("close", () => {
        clearTimeout(timer);
        if (!session.closed) timer = setTimeout(end, GOAWAY_GRACE_MS);
      }));
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
    socket.once("close", () => this.#gone(connection));
    // A connection that breaks is closed after that, and is no error of the server.
    socket.on("error", () => {});
    // Small messages, such as a status, must not wait for more to come.
    socket.setNoDelay(true);
    rememberOrigin(socket, formatAddress(peer), () => connection.closedWhy);
    this.#options.take(socket);
  }

  #gone(connection: Connection): void {
    clearTimeout(connection.idleTimer);
    this.#bySocket.delete(connection.socket);
    this.#slots.delete(connection);
    this.#addresses.remove(connection.group);
    this.#listener?.nudge();
  }

  #begin(session: ServerHttp2Session): void {
    const connection = this.#secured;
    this.#secured = undefined;
    if (this.#closing || connection === undefined || connection.socket.destroyed) return void session.destroy();
    connection.session = session;
    connection.usedAtMs = performance.now();
    this.#bySession.set(session, connection);
    session.once("close", () => this.#bySession.delete(session));
    session.on("error", () => {});
    session.on("stream", (stream) => {
      connection.open += 1;
      const verdict = this.#judged === stream ? this.#verdict : "REFUSED";
      if (verdict !== "ADMITTED") this.#countRefused(session, connection, verdict);
      stream.once("close", () => {
        connection.open -= 1;
        connection.usedAtMs = connection.endedAtMs = performance.now();
        if (this.#closing) closeWhenDrained(session, connection);
      });
    });
    this.#awaitSettings(session, connection);
    this.#place(session, connection, this.#options.ownerOf(session));
    // There is room for another handshake.
    this.#listener?.nudge();
  }

  #place(session: ServerHttp2Session, connection: Connection, standing: ConnectionOwner): void {
    const wasGuest = connection.owner?.isMember === false;
    const refusal = this.#slots.assign(connection, standing);
    // Before its first request is read. What one read brings is worked off in one go, which all others wait for.
    if (!standing.isMember) session.settings({ maxConcurrentStreams: GUEST_STREAMS });
    else if (wasGuest) session.settings({ maxConcurrentStreams: MAX_CALLS_PER_CONNECTION });
    this.#endWhenIdle(session, connection);
    if (refusal === undefined) return;
    const { cause, reason } = refusal;
    this.#refused.add(cause, `Refused the calls of a connection of ${formatAddress(connection.peer)}: ${reason}`);
    const sentence = `Too many connections: ${reason}. Close some, or use one connection for many calls`;
    this.#refusals.set(session, new LimitReachedError(sentence));
    this.cutAfterAnswer(session);
  }

  /** Closes the connection of a refused call when its user has had too many of them. */
  #countRefused(session: ServerHttp2Session, connection: Connection, verdict: CallOutcome): void {
    const { peer, owner: standing } = connection;
    // A server that stops refuses all calls.
    if (this.#closing || standing === undefined || !this.#refusedCalls.add(standing.user, verdict)) return;
    const user = JSON.stringify(standing.user);
    const reason = `more than ${MAX_REFUSED_CALLS} calls of user ${user} were refused in 10 s`;
    this.#refused.add("REFUSED_CALLS", `Closed a connection of ${formatAddress(peer)}: ${reason}`);
    ignoreStreams(session);
    session.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    destroyAfterGrace(connection);
  }

  /** Ends a connection that speaks TLS and no HTTP/2. */
  #awaitSettings(session: ServerHttp2Session, connection: Connection): void {
    const timer = setTimeout(() => {
      const peer = formatAddress(connection.peer);
      this.#refused.add("NO_HTTP2", `Closed a connection of ${peer}: it sent no HTTP/2 for ${SETTINGS_MS / 1_000} s`);
      destroyConnection(connection);
    }, SETTINGS_MS);
    session.once("remoteSettings", () => clearTimeout(timer));
    session.once("close", () => clearTimeout(timer));
  }

  /** Ends the connection of a guest that makes no call for a while. */
  #endWhenIdle(session: ServerHttp2Session, connection: Connection): void {
    clearTimeout(connection.idleTimer);
    if (connection.owner?.isMember !== false || session.closed) return;
    const leftMs = connection.open > 0 ? GUEST_IDLE_MS : connection.usedAtMs + GUEST_IDLE_MS - performance.now();
    if (leftMs > 0) {
      connection.idleTimer = setTimeout(() => this.#endWhenIdle(session, connection), leftMs);
      return;
    }
    this.#refused.count("GUEST_IDLE");
    session.close();
    destroyAfterGrace(connection);
  }
}
