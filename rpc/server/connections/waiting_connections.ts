/** Accepted connections whose TLS handshake has not started: silent ones, and ones that are ready for it. */
import type { SocketAddress } from "../../compat/socket_address.ts";
import { LEAST_SILENT_MS } from "./deadlines.ts";
import { FairShare, first } from "./fair_share.ts";
import { HoldTime } from "./hold_time.ts";

/** A connection that was accepted and whose handshake has not started. */
export interface PendingConnection {
  readonly descriptor: number;
  readonly peer: SocketAddress;
  /** The key of its address for limits; see `addressGroup()`. */
  readonly group: string;
  /** When it was accepted, in the time of performance.now(). */
  readonly atMs: number;
}

/** Holds connections until their first TLS record is complete, and then until a handshake slot is free. */
export class WaitingConnections {
  /** Connections that have not sent a complete record, by address. */
  readonly #silent: FairShare<PendingConnection>;
  readonly #byDescriptor = new Map<number, PendingConnection>();
  /** Connections that have sent a record, oldest first. */
  readonly #ready: PendingConnection[] = [];
  readonly #holdTime = new HoldTime(LEAST_SILENT_MS);

  /** @param max the number of slots */
  constructor(max: number) {
    this.#silent = new FairShare(max);
  }

  /** The number of connections. */
  get size(): number {
    return this.#silent.size + this.#ready.length;
  }

  /** True when every slot is used. */
  get isFull(): boolean {
    return this.size >= this.#silent.max;
  }

  /** True when a connection is ready for its handshake. */
  get hasReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Returns the descriptors of silent connections. */
  descriptors(): number[] {
    return [...this.#byDescriptor.keys()];
  }

  /** Returns all connections. */
  all(): PendingConnection[] {
    return [...this.#silent.items(), ...this.#ready];
  }

  /** Returns the silent connections, oldest first. */
  silent(): Iterable<PendingConnection> {
    return this.#silent.items();
  }

  /** Returns the silent connection of a descriptor. */
  find(descriptor: number): PendingConnection | undefined {
    return this.#byDescriptor.get(descriptor);
  }

  /** Adds a connection that has sent no complete record. */
  addSilent(connection: PendingConnection): void {
    this.#silent.add(connection, connection.group);
    this.#byDescriptor.set(connection.descriptor, connection);
  }

  /** Adds a connection that has sent a record. */
  addReady(connection: PendingConnection): void {
    this.#holdTime.succeeded();
    this.#ready.push(connection);
  }

  /** Removes a silent connection. */
  remove(connection: PendingConnection): void {
    this.#silent.delete(connection);
    this.#byDescriptor.delete(connection.descriptor);
  }

  /** Removes a silent connection that the server closes. */
  drop(connection: PendingConnection): void {
    this.#holdTime.failed();
    this.remove(connection);
  }

  /** Removes and returns the connection that has been ready the longest. */
  takeReady(): PendingConnection | undefined {
    return this.#ready.shift();
  }

  /** Returns the silent connection that makes room: the oldest of the address with the most. */
  toReplace(): PendingConnection | undefined {
    return first(this.#silent.largestGroup());
  }

  /**
   * Returns the milliseconds until `toReplace()` may be closed for another. Undefined when there is none.
   *
   * @param now the time of performance.now()
   */
  replaceableInMs(now: number): number | undefined {
    const oldest = this.toReplace();
    if (oldest === undefined) return undefined;
    return Math.max(0, oldest.atMs + this.#holdTime.ms - now);
  }
}
