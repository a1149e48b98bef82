/** The HTTP/2 sessions of accepted connections: their slots, their calls, and how they are closed. */
import http2, { type ServerHttp2Session } from "node:http2";
import { LimitReachedError } from "../../../mod.ts";
import { ignoreStreams } from "../../compat/ignore_streams.ts";
import { formatAddress } from "../../shared/address.ts";
import { CallOutcomes, MAX_REFUSED_CALLS } from "../limits/refused_calls.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";
import { MAX_CALLS_OF_GUEST, MAX_CALLS_PER_CONNECTION } from "./connection_limits.ts";
import type { ConnectionSlots } from "./connection_slots.ts";
import { SETTINGS_MS } from "./deadlines.ts";
import { closeAfterFirstCall, closeWhenDrained, destroyAfterGrace, destroyConnection, goAway } from "./drain.ts";
import type { RefusedConnections } from "./refused_connections.ts";
import { requireSettings, watchIdleGuest } from "./session_timers.ts";

/** The parts of the server that sessions use. */
export interface SessionsOptions {
  readonly slots: ConnectionSlots;
  readonly refused: RefusedConnections;
  /** Returns the client at the other end of a session. */
  readonly ownerOf: (session: ServerHttp2Session) => ConnectionOwner;
}

/** Assigns each session to its owner's slots, and closes sessions that exceed a limit. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #connections = new Map<ServerHttp2Session, Connection>();
  readonly #limitErrors = new WeakMap<object, LimitReachedError>();
  /** The results of calls. Connections of users with too many refused calls are closed. */
  readonly outcomes: CallOutcomes = new CallOutcomes();
  #draining = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Returns the error of all calls of a session that exceeds a limit. Undefined for other sessions. */
  limitErrorOf(session: object): LimitReachedError | undefined {
    return this.#limitErrors.get(session);
  }

  /** Adds a new session of a connection. Destroys it when the connection has ended or the server is closing. */
  begin(session: ServerHttp2Session, connection: Connection | undefined): void {
    if (this.#draining || connection === undefined || connection.socket.destroyed) return void session.destroy();
    connection.session = session;
    connection.usedAtMs = performance.now();
    this.#connections.set(session, connection);
    session.once("close", () => {
      clearTimeout(connection.drainTimer);
      this.#connections.delete(session);
    });
    session.on("error", () => {});
    session.on("stream", (stream) => {
      connection.open += 1;
      this.#countCall(session, connection, stream);
      stream.once("close", () => {
        connection.open -= 1;
        connection.usedAtMs = connection.endedAtMs = performance.now();
        if (this.#draining) closeWhenDrained(session, connection);
      });
    });
    requireSettings(session, () => {
      const peer = formatAddress(connection.peer);
      const text = `Closed a connection of ${peer}: it sent no HTTP/2 for ${SETTINGS_MS / 1_000} s`;
      this.#options.refused.add("NO_HTTP2", text);
      destroyConnection(connection);
    });
    this.#assign(session, connection, this.#options.ownerOf(session));
  }

  /** Assigns slots again after a change of the policy or of the trusted authorities. */
  reclassify(): void {
    for (const [session, connection] of this.#connections) {
      const owner = this.#options.ownerOf(session);
      const { user, isMember } = connection.owner ?? {};
      if (owner.user !== user || owner.isMember !== isMember) this.#assign(session, connection, owner);
    }
  }

  /** Sends GOAWAY on the sessions that a function selects, and destroys their connections after the grace period. */
  expel(isSelected: (session: ServerHttp2Session) => boolean): void {
    for (const [session, connection] of [...this.#connections].filter(([session]) => isSelected(session))) {
      goAway(session, connection);
    }
  }

  /** Closes a new session after its first call was answered and read, or when no call comes. */
  closeAfterFirstCall(session: ServerHttp2Session): void {
    const connection = this.#connections.get(session);
    if (connection !== undefined) closeAfterFirstCall(session, connection);
  }

  /** Refuses new sessions. The connections must be drained too. */
  refuseNew(): void {
    this.#draining = true;
  }

  /** Closes each session after its calls have ended and were read. */
  drain(): void {
    for (const [session, connection] of this.#connections) closeWhenDrained(session, connection);
  }

  #assign(session: ServerHttp2Session, connection: Connection, owner: ConnectionOwner): void {
    const { slots, refused } = this.#options;
    const wasGuest = connection.owner?.isMember === false;
    const refusal = slots.assign(connection, owner);
    // The limit must hold before the first request: the calls of one read delay all other clients.
    if (!owner.isMember) session.settings({ maxConcurrentStreams: MAX_CALLS_OF_GUEST });
    else if (wasGuest) session.settings({ maxConcurrentStreams: MAX_CALLS_PER_CONNECTION });
    watchIdleGuest(session, connection, () => {
      refused.count("GUEST_IDLE");
      goAway(session, connection);
    });
    if (refusal === undefined) return;
    const { cause, reason } = refusal;
    refused.add(cause, `Refused the calls of a connection of ${formatAddress(connection.peer)}: ${reason}`);
    const message = `Too many connections: ${reason}. Close some, or use one connection for many calls`;
    this.#limitErrors.set(session, new LimitReachedError(message));
    closeAfterFirstCall(session, connection);
  }

  /** Counts a call. Closes its connection when it was refused and too many other calls of the user were. */
  #countCall(session: ServerHttp2Session, connection: Connection, stream: object): void {
    const { peer, owner } = connection;
    // A server that stops refuses all calls.
    if (this.#draining || owner === undefined || !this.outcomes.exceedsLimit(stream, owner.user)) return;
    const reason = `more than ${MAX_REFUSED_CALLS} calls of user ${JSON.stringify(owner.user)} were refused in 10 s`;
    this.#options.refused.add("REFUSED_CALLS", `Closed a connection of ${formatAddress(peer)}: ${reason}`);
    ignoreStreams(session);
    session.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM);
    destroyAfterGrace(connection);
  }
}
