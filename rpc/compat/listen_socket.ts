/**
 * A listening TCP socket that continues to accept after an error.
 *
 * Reason: node:net of Deno 2.9.6 drops an error of accept(2) and never polls the socket again
 * (`while let Poll::Ready(Ok(..)) = listener.poll_accept(cx)` in `libs/core/uv_compat/tcp.rs`). After one EMFILE the
 * server accepts nothing, without an event. `Deno.listen` reports the error, but its connections cannot become a
 * `net.Socket`, which TLS needs.
 *
 * So this file calls the C library, and passes each descriptor to `net.Socket`, as Node documents. Remove it when
 * node:net reports errors of accept. Test: `tests/rpc/compat/listen_socket_test.ts`.
 */
import { Socket } from "node:net";
import { constants } from "node:os";
import { addressOf, adoptListener } from "./inherited_socket.ts";
import {
  checkResult,
  CLOEXEC,
  F_DUPFD_CLOEXEC,
  intBytes,
  lastErrno,
  MSG_PEEK_DONTWAIT,
  NONBLOCK,
  openSocketLibrary,
  POLLFD_BYTES,
  POLLIN,
  SO_RCVLOWAT,
  SO_REUSEADDR,
  SOCK_STREAM,
  SOL_SOCKET,
  SystemCallError,
} from "./socket_calls.ts";
import { decodeAddress, encodeAddress, familyOf, SOCKADDR_BYTES, type SocketAddress } from "./socket_address.ts";

/** The result of {@linkcode ListenSocket.wait}. */
export interface Ready {
  /** True when a connection can be accepted. */
  readonly listener: boolean;
  /** The descriptors that can be read, or have ended. */
  readonly descriptors: readonly number[];
}

/**
 * The data that a connection has sent so far. `NOTHING`: an incomplete TLS record. `RECORD`: a complete record, or data
 * other than TLS. `END`: the connection has ended.
 */
export type Arrived = "NOTHING" | "RECORD" | "END";

// Source: RFC 8446, section 5.1. A record is type, version, length, and at most 16 KiB of content.
const TLS_HANDSHAKE = 22;
const RECORD_HEAD_BYTES = 5;
const MAX_RECORD_BYTES = RECORD_HEAD_BYTES + 16_384;

/**
 * The number of connections that the kernel keeps until they are accepted, at most net.core.somaxconn. After a restart
 * that number of clients may connect at once.
 */
const BACKLOG = 4_096;

/** Listens, accepts connections, and waits for their first bytes. */
export class ListenSocket {
  readonly #library = openSocketLibrary();
  readonly #listener: number;
  readonly #waker: number;
  /** The address, with the port that the system picked for 0. */
  readonly address: SocketAddress;
  readonly #peer = new Uint8Array(SOCKADDR_BYTES);
  readonly #peerBytes = new Uint32Array(1);
  readonly #arrived = new Uint8Array(MAX_RECORD_BYTES);
  /** The size of the first record of each connection whose record is incomplete. */
  readonly #neededBytes = new Map<number, number>();

  /**
   * Starts to listen.
   *
   * @param wanted an IP address, with a zone where it is link-local, and a port; 0 picks a free port. Or the descriptor of
   *   a socket that listens already, which then belongs to this object
   * @throws {SystemCallError} when the socket cannot listen on the address
   * @throws {NotListeningError} when the descriptor is not a listening TCP socket
   */
  constructor(wanted: SocketAddress | number) {
    const descriptors: number[] = [];
    try {
      const { eventfd } = this.#library.symbols;
      this.#listener = typeof wanted === "number"
        ? adoptListener(this.#library, wanted)
        : this.#open(wanted, descriptors);
      this.#waker = this.#check("eventfd", eventfd(0, NONBLOCK | CLOEXEC));
      descriptors.push(this.#waker);
      this.address = addressOf(this.#library, this.#listener);
    } catch (error) {
      for (const descriptor of descriptors) this.#library.symbols.close(descriptor);
      this.#library.close();
      throw error;
    }
  }

  /**
   * Accepts one connection.
   *
   * @returns Undefined when no connection waits
   * @throws {SystemCallError} when accept(2) fails
   */
  accept(): { readonly descriptor: number; readonly peer: SocketAddress } | undefined {
    this.#peerBytes[0] = SOCKADDR_BYTES;
    const { accept4 } = this.#library.symbols;
    const peerBytes = new Uint8Array(this.#peerBytes.buffer);
    const descriptor = accept4(this.#listener, this.#peer, peerBytes, NONBLOCK | CLOEXEC);
    if (descriptor >= 0) return { descriptor, peer: decodeAddress(this.#peer) };
    const errno = lastErrno(this.#library);
    if (errno === constants.errno.EAGAIN) return undefined;
    throw new SystemCallError("accept", errno);
  }

  /**
   * Inspects the data that has arrived, without reading it. After `NOTHING`, `wait` returns the connection only when
   * its record is complete. So a client that sends single bytes costs no more than a silent one.
   */
  arrived(descriptor: number): Arrived {
    const { recv } = this.#library.symbols;
    const count = Number(recv(descriptor, this.#arrived, BigInt(MAX_RECORD_BYTES), MSG_PEEK_DONTWAIT));
    if (count < 0) return lastErrno(this.#library) === constants.errno.EAGAIN ? "NOTHING" : "END";
    if (count === 0) return "END";
    const [type, , , high = 0, low = 0] = this.#arrived;
    if (type !== TLS_HANDSHAKE) return "RECORD";
    const neededBytes = Math.min(
      count < RECORD_HEAD_BYTES ? RECORD_HEAD_BYTES : RECORD_HEAD_BYTES + high * 256 + low,
      MAX_RECORD_BYTES,
    );
    if (count >= neededBytes) return "RECORD";
    // The connection was ready before its record was complete, so it has ended.
    if (this.#neededBytes.get(descriptor) === neededBytes) return "END";
    this.#setReadyBytes(descriptor, neededBytes);
    this.#neededBytes.set(descriptor, neededBytes);
    return "NOTHING";
  }

  /**
   * Waits until a descriptor can be read, `wake` is called, or the time has passed. Only one call may run at a time.
   *
   * @param accepting whether to wait for new connections too
   * @param timeoutMs the longest wait in milliseconds; undefined waits without a limit
   */
  async wait(descriptors: readonly number[], accepting: boolean, timeoutMs: number | undefined): Promise<Ready> {
    const watched = [this.#waker, ...(accepting ? [this.#listener] : []), ...descriptors];
    // Another thread writes here. A buffer of 64 bytes or more does not move.
    const polled = new DataView(new ArrayBuffer(Math.max(64, watched.length * POLLFD_BYTES)));
    for (const [index, descriptor] of watched.entries()) {
      polled.setInt32(index * POLLFD_BYTES, descriptor, true);
      polled.setInt16(index * POLLFD_BYTES + 4, POLLIN, true);
    }
    const timeout = timeoutMs === undefined ? -1 : Math.ceil(timeoutMs);
    await this.#library.symbols.poll(new Uint8Array(polled.buffer), BigInt(watched.length), timeout);
    const found = watched.filter((_, index) => polled.getInt16(index * POLLFD_BYTES + 6, true) !== 0);
    if (found[0] === this.#waker) this.#library.symbols.eventfd_read(this.#waker, this.#peer);
    return {
      listener: accepting && found.includes(this.#listener),
      descriptors: found.filter((descriptor) => descriptor !== this.#waker && descriptor !== this.#listener),
    };
  }

  /** Ends the current wait, or the next one. */
  wake(): void {
    this.#library.symbols.eventfd_write(this.#waker, 1n);
  }

  /** Closes a connection that was accepted and has not become a socket. */
  end(descriptor: number): void {
    this.#neededBytes.delete(descriptor);
    this.#library.symbols.close(descriptor);
  }

  /**
   * Makes a connection a `net.Socket`, which then owns the descriptor.
   *
   * @throws {Error} when Deno rejects the descriptor, which is then closed
   */
  socketOf(descriptor: number): Socket {
    if (this.#neededBytes.delete(descriptor)) this.#setReadyBytes(descriptor, 1);
    try {
      return new Socket({ fd: descriptor });
    } catch {
      // Deno keeps a list of descriptors. A socket that was collected and not closed stays in the list.
      const other = this.#library.symbols.fcntl(descriptor, F_DUPFD_CLOEXEC, descriptor + 1);
      this.end(descriptor);
      if (other < 0) throw new SystemCallError("fcntl", lastErrno(this.#library));
      return new Socket({ fd: other });
    }
  }

  /** Stops listening. No wait may run. A socket that another process holds too stays open, and so does its queue. */
  close(): void {
    this.end(this.#listener);
    this.end(this.#waker);
    this.#library.close();
  }

  #open(wanted: SocketAddress, descriptors: number[]): number {
    const { socket, setsockopt, bind, listen } = this.#library.symbols;
    const address = encodeAddress(this.#library, wanted);
    const listener = this.#check("socket", socket(familyOf(address), SOCK_STREAM | NONBLOCK | CLOEXEC, 0));
    descriptors.push(listener);
    // Old connections of a stopped server must not block the port.
    this.#check("setsockopt", setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, intBytes(1), 4));
    this.#check("bind", bind(listener, address, address.length));
    this.#check("listen", listen(listener, BACKLOG));
    return listener;
  }

  /** Makes a descriptor ready to read only when that number of bytes has arrived. */
  #setReadyBytes(descriptor: number, bytes: number): void {
    this.#library.symbols.setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, intBytes(bytes), 4);
  }

  #check(call: string, result: number): number {
    return checkResult(this.#library, call, result);
  }
}
