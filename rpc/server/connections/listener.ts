/**
 * Accepts connections, and holds each until its first TLS record is complete. A silent connection costs a descriptor,
 * and no memory or time for TLS. An error of accept does not stop the loop.
 */
import type { ListenSocket } from "../../compat/listen_socket.ts";
import { SystemCallError } from "../../compat/socket_calls.ts";
import type { SocketAddress } from "../../compat/socket_address.ts";
import { formatAddress } from "../../shared/address.ts";
import { type AddressCounts, addressGroup } from "./address_counts.ts";
import { SILENT_MS } from "./deadlines.ts";
import { first } from "./fair_share.ts";
import type { RefusedConnections } from "./refused_connections.ts";
import { type PendingConnection, WaitingConnections } from "./waiting_connections.ts";

/** Accepts and handshakes in one turn of the event loop. Together they delay other calls by about 5 ms. */
const MAX_ACCEPTS_A_TURN = 64;
const MAX_HANDSHAKES_A_TURN = 4;

/** The time until accept is tried again after a shortage of descriptors or memory. The end of a connection ends it. */
const SHORTAGE_RETRY_MS = 100;

/** No descriptor or memory is left: the connection stays in the kernel's queue. */
const SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"]);

/** The connection ended before it was accepted. The next one may be accepted. Source: accept(2). */
const ENDED_BEFORE_ACCEPT: ReadonlySet<string> = new Set([
  "ECONNABORTED",
  "EINTR",
  "EPROTO",
  "EPERM",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "EOPNOTSUPP",
]);

/** The functions of the server that the listener uses. */
export interface ListenerOptions {
  /** The most connections that wait for their handshake. */
  readonly maxWaiting: number;
  readonly refused: RefusedConnections;
  /** Counts waiting connections too, until they end or their handshake starts. */
  readonly addresses: AddressCounts;
  /** Makes room for a handshake when that is possible. Returns the milliseconds until then; 0 when there is room. */
  readonly handshakeDelayMs: () => number;
  /** Starts a handshake. The callee then owns the descriptor and the count in `addresses`. */
  readonly begin: (connection: PendingConnection) => void;
  /** Closes a connection to free a descriptor. Returns false when it finds none. */
  readonly freeDescriptor: () => boolean;
  /** Called for connections that the server closes before their handshake starts. */
  readonly onEnd: (peer: SocketAddress, reason: string) => void;
  /** Called for errors that are defects. */
  readonly onError: (error: unknown) => void;
}

/** The methods of a socket that the listener uses. Tests replace them. */
export type Accepting = Pick<ListenSocket, "accept" | "arrived" | "wait" | "wake" | "end" | "close">;

/** The accept loop. */
export class Listener {
  readonly #socket: Accepting;
  readonly #options: ListenerOptions;
  readonly #waiting: WaitingConnections;
  /** Until when accept is not tried. 0 when there is no shortage. */
  #shortUntilMs = 0;
  #closed = false;
  readonly #ended: Promise<void>;
  #accepted = 0;

  /** Starts to accept. */
  constructor(socket: Accepting, options: ListenerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#waiting = new WaitingConnections(options.maxWaiting);
    this.#ended = this.#run();
  }

  /** The number of connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** The number of connections whose handshake has not started. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Checks again whether there is room: a connection has ended, or a handshake. */
  nudge(): void {
    if (this.#closed || (!this.#waiting.hasReady && this.#shortUntilMs === 0)) return;
    this.#shortUntilMs = 0;
    this.#socket.wake();
  }

  /** Stops to accept, and closes waiting connections. */
  async close(): Promise<void> {
    if (!this.#closed) this.#socket.wake();
    this.#closed = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      // One time for both: a connection that may be accepted from now on must end the wait, as an event or by the timeout.
      const now = performance.now();
      const { listener, descriptors } = await this.#socket.wait(
        this.#waiting.descriptors(),
        this.#mayAccept(now),
        this.#timeoutMs(now),
      );
      if (this.#closed) break;
      if (performance.now() >= this.#shortUntilMs) this.#shortUntilMs = 0;
      try {
        for (const descriptor of descriptors) this.#inspect(descriptor);
        if (listener) this.#acceptSome();
        this.#endSilent();
        this.#beginSome();
      } catch (error) {
        // A defect must not stop the loop: nothing else accepts connections.
        this.#options.onError(error);
        this.#shortUntilMs = performance.now() + SHORTAGE_RETRY_MS;
      }
    }
    for (const connection of this.#waiting.all()) this.#end(connection);
    this.#socket.close();
  }

  /** False during a shortage of descriptors, or when all slots are used. New connections then wait in the kernel. */
  #mayAccept(now: number): boolean {
    if (now < this.#shortUntilMs) return false;
    return !this.#waiting.isFull || this.#waiting.replaceableInMs(now) === 0;
  }

  /** Returns how long nothing is to do, unless an event comes. */
  #timeoutMs(now: number): number | undefined {
    const times: number[] = [];
    if (this.#shortUntilMs > now) times.push(this.#shortUntilMs - now);
    const oldest = first(this.#waiting.silent());
    if (oldest !== undefined) times.push(oldest.atMs + SILENT_MS - now);
    const replaceableInMs = this.#waiting.isFull ? this.#waiting.replaceableInMs(now) : undefined;
    // At 0 no timeout is needed: a new connection in the kernel's queue ends the wait.
    if (replaceableInMs !== undefined && replaceableInMs > 0) times.push(replaceableInMs);
    if (this.#waiting.hasReady) times.push(this.#options.handshakeDelayMs());
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times));
  }

  /** Inspects a silent connection that has sent data or ended. */
  #inspect(descriptor: number): void {
    const connection = this.#waiting.find(descriptor);
    const arrived = connection === undefined ? "NOTHING" : this.#socket.arrived(descriptor);
    if (connection === undefined || arrived === "NOTHING") return;
    this.#waiting.remove(connection);
    if (arrived === "RECORD") this.#waiting.addReady(connection);
    else this.#end(connection);
  }

  #acceptSome(): void {
    for (let count = 0; count < MAX_ACCEPTS_A_TURN && this.#mayAccept(performance.now()); count++) {
      try {
        const accepted = this.#socket.accept();
        if (accepted === undefined) return;
        this.#receive({ ...accepted, group: addressGroup(accepted.peer), atMs: performance.now() });
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        if (!this.#acceptFailed(error.code)) return;
      }
    }
  }

  /** Handles an error of accept. Returns whether to try again at once. */
  #acceptFailed(code: string): boolean {
    const { refused, freeDescriptor } = this.#options;
    if (SHORTAGES.has(code)) {
      refused.add("SHORTAGE", `Cannot accept a connection: no descriptor or memory is left (${code}); it waits`);
      const oldest = this.#waiting.replaceableInMs(performance.now()) === 0 ? this.#waiting.toReplace() : undefined;
      if (oldest !== undefined) this.#drop(oldest, "closed to free a descriptor: it had not started TLS");
      // A closed socket frees its descriptor only in the next turn.
      if (oldest !== undefined || freeDescriptor()) return oldest !== undefined;
    } else {
      refused.add("ACCEPT_FAILED", `Cannot accept a connection (${code}): the next one is accepted`);
      if (ENDED_BEFORE_ACCEPT.has(code)) return true;
    }
    this.#shortUntilMs = performance.now() + SHORTAGE_RETRY_MS;
    return false;
  }

  #receive(connection: PendingConnection): void {
    const { addresses, refused, maxWaiting } = this.#options;
    this.#accepted += 1;
    if (addresses.isFull(connection.group)) {
      const peer = formatAddress(connection.peer);
      refused.add("ADDRESS_LIMIT", `Closed a connection of ${peer}: its address has too many`);
      return this.#socket.end(connection.descriptor);
    }
    addresses.add(connection.group);
    const arrived = this.#socket.arrived(connection.descriptor);
    if (arrived === "END") return this.#end(connection);
    // #mayAccept() has checked that this one may be closed.
    const oldest = this.#waiting.isFull ? this.#waiting.toReplace() : undefined;
    if (oldest !== undefined) {
      const peer = formatAddress(oldest.peer);
      refused.add(
        "WAITING_LIMIT",
        `Closed a connection of ${peer}: it did not start TLS, and ${maxWaiting} wait, the limit`,
      );
      this.#drop(oldest, "closed for a newer connection: it had not started TLS");
    }
    if (arrived === "RECORD") this.#waiting.addReady(connection);
    else this.#waiting.addSilent(connection);
  }

  #endSilent(): void {
    const before = performance.now() - SILENT_MS;
    for (const connection of this.#waiting.silent()) {
      if (connection.atMs > before) return;
      const reason = `it did not start TLS for ${SILENT_MS / 1_000} s`;
      this.#options.refused.add("SILENT", `Closed a connection of ${formatAddress(connection.peer)}: ${reason}`);
      this.#drop(connection, `closed: ${reason}`);
    }
  }

  #beginSome(): void {
    const { handshakeDelayMs, begin } = this.#options;
    let begun = 0;
    while (begun < MAX_HANDSHAKES_A_TURN && this.#waiting.hasReady && handshakeDelayMs() === 0) {
      begun += 1;
      begin(this.#waiting.takeReady()!);
    }
  }

  /** Closes a silent connection. */
  #drop(connection: PendingConnection, reason: string): void {
    this.#waiting.drop(connection);
    this.#end(connection);
    this.#options.onEnd(connection.peer, reason);
  }

  #end({ descriptor, group }: PendingConnection): void {
    this.#options.addresses.remove(group);
    this.#socket.end(descriptor);
  }
}
