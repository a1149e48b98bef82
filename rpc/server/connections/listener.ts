/**
 * Accepts connections, and holds each until its first TLS record is there: a silent connection costs a descriptor, and neither
 * memory nor TLS. Errors at accept end nothing.
 */
import { formatAddress } from "../../shared/address.ts";
import { type ListenSocket, SystemCallError } from "../../compat/listen_socket.ts";
import type { SocketAddress } from "../../compat/socket_address.ts";
import { type AddressCounts, groupOf } from "./address_counts.ts";
import type { RefusedConnections } from "./refused_connections.ts";
import { FairShare } from "./fair_share.ts";

/** A TLS client speaks first, right after its connect. This is as long as a handshake may take. */
const SILENT_MS = 10_000;

/**
 * While newcomers need the places of silent ones, a silent one keeps its place this long: clients speak at once, but a
 * program that opens hundreds of connections needs a moment for the last. Where hardly any newcomer speaks, which is an
 * attack, the time goes down to the lesser one, so that thousands of silent connections pass in a second.
 */
const PATIENCE_MS = 500;
const LEAST_PATIENCE_MS = 100;

/** How much one newcomer counts in the share of those that speak, and the share below which the patience goes down. */
const SHARE_WEIGHT = 1 / 16;
const USUAL_SHARE = 0.25;

/** Accepts and handshakes in one turn of the event loop. Together they take about 5 ms, which calls of others wait. */
const MAX_ACCEPTS_A_TURN = 64;
const MAX_HANDSHAKES_A_TURN = 4;

/** After a shortage of descriptors or memory accept is tried again so often, or at once when a connection ends. */
const SHORTAGE_RETRY_MS = 100;

/** No descriptor or memory: the connection stays in the kernel's queue. */
const SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"]);

/** A connection that was gone before it was accepted, which says nothing of the next one. Source: accept(2). */
const GONE: ReadonlySet<string> = new Set([
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

/** A connection that was accepted and whose handshake has not begun. */
export interface PendingConnection {
  readonly descriptor: number;
  readonly peer: SocketAddress;
  /** Its address for limits. */
  readonly group: string;
  /** When it was accepted, in the time of performance.now(). */
  readonly atMs: number;
}

/** What the listener needs of the rest of the server. */
export interface ListenerOptions {
  /** How many connections may wait for their handshake. */
  readonly maxWaiting: number;
  readonly refused: RefusedConnections;
  /** Counts newcomers too, until they end or their handshake begins. */
  readonly addresses: AddressCounts;
  /** Makes room for a handshake where it can. Returns the milliseconds until it can; 0 when there is room now. */
  readonly handshakeDelayMs: () => number;
  /** Begins a handshake. The newcomer's descriptor and its place in `addresses` are the callee's from then on. */
  readonly begin: (newcomer: PendingConnection) => void;
  /** Closes a connection that can be spared, because no descriptor is left. Returns false when there is none. */
  readonly spare: () => boolean;
  /** Called for newcomers that end before their handshake begins. */
  readonly onEnd: (peer: SocketAddress, reason: string) => void;
  /** Called for errors that are defects. */
  readonly onError: (error: unknown) => void;
}

/** What the listener needs of a socket. Tests have one whose accept fails. */
export type Accepting = Pick<ListenSocket, "accept" | "arrived" | "wait" | "wake" | "end" | "close">;

/** The loop that accepts. */
export class Listener {
  readonly #socket: Accepting;
  readonly #options: ListenerOptions;
  /** Newcomers that have not sent a whole record, by address. */
  readonly #silent: FairShare<PendingConnection>;
  readonly #byDescriptor = new Map<number, PendingConnection>();
  /** Newcomers that have sent a record, oldest first. */
  readonly #speaking: PendingConnection[] = [];
  /** How many of the latest newcomers have spoken, from 0 to 1. */
  #spokenShare = 1;
  #shortUntilMs = 0;
  #closed = false;
  readonly #ended: Promise<void>;
  #accepted = 0;

  /** Starts to accept. */
  constructor(socket: Accepting, options: ListenerOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#silent = new FairShare(options.maxWaiting);
    this.#ended = this.#run();
  }

  /** Connections accepted since the start. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Newcomers whose handshake has not begun. */
  get waiting(): number {
    return this.#silent.size + this.#speaking.length;
  }

  /** Looks again whether there is room: a connection has ended, or a handshake is over. */
  nudge(): void {
    if (this.#closed || (this.#speaking.length === 0 && this.#shortUntilMs === 0)) return;
    this.#shortUntilMs = 0;
    this.#socket.wake();
  }

  /** Stops accepting, and closes newcomers. */
  async close(): Promise<void> {
    if (!this.#closed) this.#socket.wake();
    this.#closed = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const { listener, descriptors } = await this.#socket.wait(
        [...this.#byDescriptor.keys()],
        this.#mayAccept(),
        this.#timeoutMs(),
      );
      if (this.#closed) break;
      if (performance.now() >= this.#shortUntilMs) this.#shortUntilMs = 0;
      try {
        for (const descriptor of descriptors) this.#look(descriptor);
        if (listener) this.#acceptSome();
        this.#endSilent();
        this.#beginSome();
      } catch (error) {
        // A defect here must cost at most what it hit: nobody else accepts connections.
        this.#options.onError(error);
        this.#shortUntilMs = performance.now() + SHORTAGE_RETRY_MS;
      }
    }
    for (const newcomer of [...this.#silent.items(), ...this.#speaking]) this.#end(newcomer);
    this.#socket.close();
  }

  /** False while descriptors are short, or all places are taken: newcomers then wait in the kernel. */
  #mayAccept(): boolean {
    if (performance.now() < this.#shortUntilMs) return false;
    return this.waiting < this.#options.maxWaiting || this.#replaceableInMs() === 0;
  }

  /** Milliseconds until a silent newcomer may be closed for another; undefined when there is none. */
  #replaceableInMs(): number | undefined {
    const oldest = first(this.#silent.largestGroup());
    if (oldest === undefined) return undefined;
    const patienceMs = Math.max(LEAST_PATIENCE_MS, PATIENCE_MS * Math.min(1, this.#spokenShare / USUAL_SHARE));
    return Math.max(0, oldest.atMs + patienceMs - performance.now());
  }

  /** How long nothing needs to be done, unless something happens. */
  #timeoutMs(): number | undefined {
    const now = performance.now();
    const times: number[] = [];
    if (this.#shortUntilMs > now) times.push(this.#shortUntilMs - now);
    const [oldest] = this.#silent.items();
    if (oldest !== undefined) times.push(oldest.atMs + SILENT_MS - now);
    const replaceableInMs = this.waiting < this.#options.maxWaiting ? undefined : this.#replaceableInMs();
    // Without a newcomer in the kernel's queue it goes on to wait: the poll then ends when one comes.
    if (replaceableInMs !== undefined && replaceableInMs > 0) times.push(replaceableInMs);
    if (this.#speaking.length > 0) times.push(this.#options.handshakeDelayMs());
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times));
  }

  /** Something has arrived from a silent newcomer, perhaps its end. */
  #look(descriptor: number): void {
    const newcomer = this.#byDescriptor.get(descriptor);
    const arrived = newcomer === undefined ? "NOTHING" : this.#socket.arrived(descriptor);
    if (newcomer === undefined || arrived === "NOTHING") return;
    this.#silent.delete(newcomer);
    this.#byDescriptor.delete(descriptor);
    if (arrived === "RECORD") this.#speak(newcomer);
    else this.#end(newcomer);
  }

  #speak(newcomer: PendingConnection): void {
    this.#spokenShare += SHARE_WEIGHT * (1 - this.#spokenShare);
    this.#speaking.push(newcomer);
  }

  #acceptSome(): void {
    for (let count = 0; count < MAX_ACCEPTS_A_TURN && this.#mayAccept(); count++) {
      try {
        const accepted = this.#socket.accept();
        if (accepted === undefined) return;
        this.#receive({ ...accepted, group: groupOf(accepted.peer), atMs: performance.now() });
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        if (!this.#acceptFailed(error.code)) return;
      }
    }
  }

  /** Returns whether to try again at once. */
  #acceptFailed(code: string): boolean {
    const { refused, spare } = this.#options;
    if (SHORTAGES.has(code)) {
      refused.add("SHORTAGE", `Cannot accept a connection for want of descriptors or memory (${code}): it waits`);
      const oldest = this.#replaceableInMs() === 0 ? first(this.#silent.largestGroup()) : undefined;
      if (oldest !== undefined) this.#drop(oldest, "closed for want of descriptors: it had not begun TLS");
      // A socket gives its descriptor back in the next turn.
      if (oldest !== undefined || spare()) return oldest !== undefined;
    } else {
      refused.add("ACCEPT_FAILED", `Cannot accept a connection (${code}): the next one is accepted`);
      if (GONE.has(code)) return true;
    }
    this.#shortUntilMs = performance.now() + SHORTAGE_RETRY_MS;
    return false;
  }

  #receive(newcomer: PendingConnection): void {
    const { addresses, refused, maxWaiting } = this.#options;
    this.#accepted += 1;
    if (addresses.isFull(newcomer.group)) {
      refused.add("ADDRESS_LIMIT", `Closed a connection of ${formatAddress(newcomer.peer)}: its address has too many`);
      return this.#socket.end(newcomer.descriptor);
    }
    addresses.add(newcomer.group);
    const arrived = this.#socket.arrived(newcomer.descriptor);
    if (arrived === "END") return this.#end(newcomer);
    // The oldest of the address with the most goes. #mayAccept() has seen that it may.
    const oldest = this.waiting < maxWaiting ? undefined : first(this.#silent.largestGroup());
    if (oldest !== undefined) {
      const peer = formatAddress(oldest.peer);
      refused.add(
        "WAITING_LIMIT",
        `Closed a connection of ${peer}: it did not begin TLS, and ${maxWaiting} wait, the limit`,
      );
      this.#drop(oldest, "closed for a newer connection: it had not begun TLS");
    }
    if (arrived === "RECORD") return this.#speak(newcomer);
    this.#silent.add(newcomer, newcomer.group);
    this.#byDescriptor.set(newcomer.descriptor, newcomer);
  }

  #endSilent(): void {
    const before = performance.now() - SILENT_MS;
    for (const newcomer of this.#silent.items()) {
      if (newcomer.atMs > before) return;
      const peer = formatAddress(newcomer.peer);
      this.#options.refused.add(
        "SILENT",
        `Closed a connection of ${peer}: it did not begin TLS for ${SILENT_MS / 1_000} s`,
      );
      this.#drop(newcomer, `closed: it did not begin TLS for ${SILENT_MS / 1_000} s`);
    }
  }

  #beginSome(): void {
    const { handshakeDelayMs, begin } = this.#options;
    let begun = 0;
    while (begun < MAX_HANDSHAKES_A_TURN && this.#speaking.length > 0 && handshakeDelayMs() === 0) {
      begun += 1;
      begin(this.#speaking.shift()!);
    }
  }

  /** Closes a silent newcomer. */
  #drop(newcomer: PendingConnection, reason: string): void {
    this.#spokenShare *= 1 - SHARE_WEIGHT;
    this.#silent.delete(newcomer);
    this.#byDescriptor.delete(newcomer.descriptor);
    this.#end(newcomer);
    this.#options.onEnd(newcomer.peer, reason);
  }

  #end({ descriptor, group }: PendingConnection): void {
    this.#options.addresses.remove(group);
    this.#socket.end(descriptor);
  }
}

function first<Item>(items: Iterable<Item>): Item | undefined {
  const [item] = items;
  return item;
}
