/**
 * A listening TCP socket that survives errors at accept. Deno 2.9.6's own, in node:net, drops such an error and never
 * polls the socket again (`while let Poll::Ready(Ok(..)) = listener.poll_accept(cx)` in `libs/core/uv_compat/tcp.rs`):
 * after one EMFILE the server is deaf, without an event. `Deno.listen` reports the error, but its connections cannot
 * become a `net.Socket`, which TLS needs. So this file asks the C library, and gives each connection to `net.Socket` by
 * its descriptor, as Node documents. To be dropped once node:net reports errors at accept.
 */
import { openLibc } from "../../base/libc.ts";
import { Socket } from "node:net";
import { constants } from "node:os";
import { AF_INET, AF_INET6, decodeAddress, SOCKADDR_BYTES, type SocketAddress } from "./socket_address.ts";

/** A call of the system that failed. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  /** Such as `EMFILE`. */
  readonly code: string;

  /**
   * @param call The call's name
   * @param errno Its error number
   */
  constructor(call: string, errno: number) {
    const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`;
    super(`${call} failed: ${code}`);
    this.code = code;
  }
}

/** What {@linkcode ListenSocket.wait} waited for and found. */
export interface Ready {
  /** True when connections wait to be accepted. */
  readonly listener: boolean;
  /** The descriptors that can be read, or are at their end. */
  readonly descriptors: readonly number[];
}

/** What a connection has sent so far: not yet a whole TLS record, a whole one or something else than TLS, or its end. */
export type Arrived = "NOTHING" | "RECORD" | "END";

// Constants of Linux for x86-64 and arm64, as in <sys/socket.h>, <poll.h>, <fcntl.h> and <sys/eventfd.h>.
const SOCK_STREAM = 1;
const NONBLOCK = 0o4000;
/** Without it every job would inherit the connections. */
const CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_RCVLOWAT = 18;
const MSG_PEEK_DONTWAIT = 0x42;
const POLLIN = 1;
const POLLFD_BYTES = 8;
const F_DUPFD_CLOEXEC = 1030;

// RFC 8446, section 5.1: type, version and length come before the record, which has at most 16 KiB.
const TLS_HANDSHAKE = 22;
const RECORD_HEAD_BYTES = 5;
const MAX_RECORD_BYTES = RECORD_HEAD_BYTES + 16_384;

/**
 * How many connections the kernel keeps until they are accepted; it takes the less of this and net.core.somaxconn. As
 * many clients may come back at once after a restart.
 */
const BACKLOG = 4_096;

function openLibrary() {
  return openLibc({
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    listen: { parameters: ["i32", "i32"], result: "i32" },
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
    recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
    poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
    eventfd: { parameters: ["u32", "i32"], result: "i32" },
    eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
    eventfd_read: { parameters: ["i32", "buffer"], result: "i32" },
    fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    if_nametoindex: { parameters: ["buffer"], result: "u32" },
    __errno_location: { parameters: [], result: "pointer" },
  });
}

/** Listens, accepts, and waits for the first bytes of connections. */
export class ListenSocket {
  readonly #library = openLibrary();
  readonly #listener: number;
  readonly #waker: number;
  /** The real address, with the port that the system picked for 0. */
  readonly address: SocketAddress;
  readonly #peer = new Uint8Array(SOCKADDR_BYTES);
  readonly #peerBytes = new Uint32Array(1);
  readonly #arrived = new Uint8Array(MAX_RECORD_BYTES);
  /** How many bytes the first record of a connection has, where not all of them are there. */
  readonly #neededBytes = new Map<number, number>();

  /**
   * Listens.
   *
   * @param address An IP address, with a zone where it is link-local, and a port; 0 picks a free one
   * @throws {SystemCallError} When the address cannot be listened on
   */
  constructor({ host, port }: SocketAddress) {
    const { socket, setsockopt, bind, listen, getsockname, eventfd } = this.#library.symbols;
    const address = this.#encode(host, port);
    const descriptors: number[] = [];
    try {
      const family = new DataView(address.buffer).getUint16(0, true);
      this.#listener = this.#check("socket", socket(family, SOCK_STREAM | NONBLOCK | CLOEXEC, 0));
      descriptors.push(this.#listener);
      this.#waker = this.#check("eventfd", eventfd(0, NONBLOCK | CLOEXEC));
      descriptors.push(this.#waker);
      // Connections of an earlier server that are not quite over must not keep the port.
      this.#check("setsockopt", setsockopt(this.#listener, SOL_SOCKET, SO_REUSEADDR, bytesOf(new Uint32Array([1])), 4));
      this.#check("bind", bind(this.#listener, address, address.length));
      this.#check("listen", listen(this.#listener, BACKLOG));
      this.#peerBytes[0] = SOCKADDR_BYTES;
      this.#check("getsockname", getsockname(this.#listener, this.#peer, bytesOf(this.#peerBytes)));
      this.address = this.#decodePeer();
    } catch (error) {
      for (const descriptor of descriptors) this.#library.symbols.close(descriptor);
      this.#library.close();
      throw error;
    }
  }

  /**
   * Accepts a connection that waits.
   *
   * @returns Undefined when none waits
   * @throws {SystemCallError} When the system gives none
   */
  accept(): { readonly descriptor: number; readonly peer: SocketAddress } | undefined {
    this.#peerBytes[0] = SOCKADDR_BYTES;
    const { accept4 } = this.#library.symbols;
    const descriptor = accept4(this.#listener, this.#peer, bytesOf(this.#peerBytes), NONBLOCK | CLOEXEC);
    if (descriptor >= 0) return { descriptor, peer: this.#decodePeer() };
    const errno = this.#errno();
    if (errno === constants.errno.EAGAIN) return undefined;
    throw new SystemCallError("accept", errno);
  }

  /**
   * Looks at what has arrived, and leaves it there. After NOTHING, `wait` wakes for the connection when its record is
   * whole, so that one who sends a byte now and then costs as little as one who sends none.
   */
  arrived(descriptor: number): Arrived {
    const { recv } = this.#library.symbols;
    const count = Number(recv(descriptor, this.#arrived, BigInt(MAX_RECORD_BYTES), MSG_PEEK_DONTWAIT));
    if (count < 0) return this.#errno() === constants.errno.EAGAIN ? "NOTHING" : "END";
    if (count === 0) return "END";
    const [type, , , high = 0, low = 0] = this.#arrived;
    if (type !== TLS_HANDSHAKE) return "RECORD";
    const neededBytes = Math.min(
      count < RECORD_HEAD_BYTES ? RECORD_HEAD_BYTES : RECORD_HEAD_BYTES + high * 256 + low,
      MAX_RECORD_BYTES,
    );
    if (count >= neededBytes) return "RECORD";
    // It woke the wait and is not whole: there will be no more.
    if (this.#neededBytes.get(descriptor) === neededBytes) return "END";
    this.#wakeAt(descriptor, neededBytes);
    this.#neededBytes.set(descriptor, neededBytes);
    return "NOTHING";
  }

  /**
   * Waits until a descriptor can be read, `wake` is called, or the time is over. One call at a time.
   *
   * @param accepting Whether connections to accept count
   * @param timeoutMs At most; undefined waits without end
   */
  async wait(descriptors: readonly number[], accepting: boolean, timeoutMs: number | undefined): Promise<Ready> {
    const watched = [this.#waker, ...(accepting ? [this.#listener] : []), ...descriptors];
    // Memory that does not move while another thread writes there.
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

  /** Ends the wait that runs, or the next one. */
  wake(): void {
    this.#library.symbols.eventfd_write(this.#waker, 1n);
  }

  /** Ends a connection that was accepted and not made a socket. */
  end(descriptor: number): void {
    this.#neededBytes.delete(descriptor);
    this.#library.symbols.close(descriptor);
  }

  /**
   * Makes a connection a socket, which owns the descriptor from then on.
   *
   * @throws {Error} When Deno refuses the descriptor; then it is closed
   */
  socketOf(descriptor: number): Socket {
    if (this.#neededBytes.delete(descriptor)) this.#wakeAt(descriptor, 1);
    try {
      return new Socket({ fd: descriptor });
    } catch {
      // Deno keeps a list of descriptors, and leaves one there when the collector and not close() ends a socket.
      const other = this.#library.symbols.fcntl(descriptor, F_DUPFD_CLOEXEC, descriptor + 1);
      this.end(descriptor);
      if (other < 0) throw new SystemCallError("fcntl", this.#errno());
      return new Socket({ fd: other });
    }
  }

  /** Stops listening. No wait may run. */
  close(): void {
    this.end(this.#listener);
    this.end(this.#waker);
    this.#library.close();
  }

  /** Has the descriptor be readable from so many bytes on. */
  #wakeAt(descriptor: number, bytes: number): void {
    this.#library.symbols.setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, bytesOf(new Uint32Array([bytes])), 4);
  }

  #check(call: string, result: number): number {
    if (result < 0) throw new SystemCallError(call, this.#errno());
    return result;
  }

  #errno(): number {
    const place = this.#library.symbols.__errno_location();
    return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
  }

  /** A sockaddr_in or sockaddr_in6. */
  #encode(host: string, port: number): Uint8Array<ArrayBuffer> {
    const { inet_pton, if_nametoindex } = this.#library.symbols;
    const isV6 = host.includes(":");
    const address = new Uint8Array(isV6 ? SOCKADDR_BYTES : 16);
    const view = new DataView(address.buffer);
    view.setUint16(0, isV6 ? AF_INET6 : AF_INET, true);
    view.setUint16(2, port);
    const [ip = "", zone] = host.split("%");
    const parsed = new Uint8Array(16);
    if (inet_pton(isV6 ? AF_INET6 : AF_INET, cString(ip), parsed) !== 1) {
      this.#library.close();
      throw new SystemCallError("inet_pton", constants.errno.EADDRNOTAVAIL);
    }
    address.set(isV6 ? parsed : parsed.subarray(0, 4), isV6 ? 8 : 4);
    if (isV6 && zone !== undefined) view.setUint32(24, if_nametoindex(cString(zone)) || Number(zone) || 0, true);
    return address;
  }

  #decodePeer(): SocketAddress {
    return decodeAddress(this.#peer);
  }
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

function bytesOf(numbers: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(numbers.buffer);
}
