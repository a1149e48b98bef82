/** Checks and prepares a listening socket that this process has inherited, such as from a service manager. */
import { decodeAddress, SOCKADDR_BYTES, type SocketAddress } from "./socket_address.ts";
import {
  AF_INET,
  AF_INET6,
  checkResult,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  NONBLOCK,
  openSocketLibrary,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_TYPE,
  SOCK_STREAM,
  type SocketLibrary,
  SOL_SOCKET,
} from "./socket_calls.ts";

/** A descriptor is not a listening TCP socket. The message says why. */
export class NotListeningError extends Error {
  override readonly name = "NotListeningError";
}

/**
 * Prepares a descriptor for the accept loop: it never blocks, and no child of this process inherits it.
 *
 * @throws {NotListeningError} when it is not a listening TCP socket
 */
export function adoptListener(library: SocketLibrary, descriptor: number): number {
  const { fcntl } = library.symbols;
  const flags = fcntl(descriptor, F_GETFL, 0);
  if (flags < 0) throw new NotListeningError(`descriptor ${descriptor} is not open`);
  const family = optionOf(library, descriptor, SO_DOMAIN);
  if (family === undefined) throw new NotListeningError(`descriptor ${descriptor} is not a socket`);
  if (family !== AF_INET && family !== AF_INET6) {
    throw new NotListeningError(`descriptor ${descriptor} is a socket of another family than IPv4 and IPv6`);
  }
  if (optionOf(library, descriptor, SO_TYPE) !== SOCK_STREAM) {
    throw new NotListeningError(`descriptor ${descriptor} is a socket of another kind than TCP`);
  }
  if (optionOf(library, descriptor, SO_ACCEPTCONN) !== 1) {
    throw new NotListeningError(`descriptor ${descriptor} is a socket that does not listen`);
  }
  checkResult(library, "fcntl", fcntl(descriptor, F_SETFL, flags | NONBLOCK));
  checkResult(library, "fcntl", fcntl(descriptor, F_SETFD, FD_CLOEXEC));
  return descriptor;
}

/**
 * Returns the address of a socket that this process has inherited, and prepares it.
 *
 * @throws {NotListeningError} when the descriptor is not a listening TCP socket
 */
export function inheritedAddress(descriptor: number): SocketAddress {
  const library = openSocketLibrary();
  try {
    return addressOf(library, adoptListener(library, descriptor));
  } finally {
    library.close();
  }
}

/** Returns the address on which a socket listens. */
export function addressOf(library: SocketLibrary, listener: number): SocketAddress {
  const address = new Uint8Array(SOCKADDR_BYTES);
  const bytes = new Uint8Array(new Uint32Array([SOCKADDR_BYTES]).buffer);
  checkResult(library, "getsockname", library.symbols.getsockname(listener, address, bytes));
  return decodeAddress(address);
}

/** Returns an option of a socket. Undefined when the descriptor is not a socket. */
function optionOf({ symbols }: SocketLibrary, descriptor: number, option: number): number | undefined {
  const value = new Int32Array(1);
  const bytes = new Uint8Array(new Uint32Array([4]).buffer);
  const result = symbols.getsockopt(descriptor, SOL_SOCKET, option, new Uint8Array(value.buffer), bytes);
  return result < 0 ? undefined : value[0];
}
