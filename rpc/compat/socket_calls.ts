/** Socket calls of the C library, through Deno's FFI: their signatures, constants and errors. */
import { errnoName } from "../../base/errno.ts";
import { openLibc } from "../../base/libc.ts";

// Linux on x86-64 and arm64, from <sys/socket.h>, <poll.h>, <fcntl.h> and <sys/eventfd.h>.
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const NONBLOCK = 0o4000;
/** Without this flag every job would inherit the connections. */
export const CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ACCEPTCONN = 30;
export const SO_DOMAIN = 39;
export const SO_RCVLOWAT = 18;
export const MSG_PEEK_DONTWAIT = 0x42;
export const POLLIN = 1;
export const POLLFD_BYTES = 8;
export const F_DUPFD_CLOEXEC = 1030;
export const F_SETFD = 2;
export const FD_CLOEXEC = 1;
export const F_GETFL = 3;
export const F_SETFL = 4;

/** A system call that failed. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  /** The error code, such as `EMFILE`. */
  readonly code: string;

  /**
   * @param call the name of the call
   * @param errno the error number
   */
  constructor(call: string, errno: number) {
    const code = errnoName(errno) ?? `errno ${errno}`;
    super(`${call} failed: ${code}`);
    this.code = code;
  }
}

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
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
} as const;

/** The C library with these functions. */
export type SocketLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;

/** Opens the C library. The caller closes it. */
export function openSocketLibrary(): SocketLibrary {
  return openLibc(SYMBOLS);
}

/** Returns the error number of the last call on this thread. */
export function lastErrno({ symbols }: SocketLibrary): number {
  const address = symbols.__errno_location();
  return address === null ? 0 : new Deno.UnsafePointerView(address).getInt32();
}

/**
 * Returns the result of a call.
 *
 * @throws {SystemCallError} when the result is negative
 */
export function checkResult(library: SocketLibrary, call: string, result: number): number {
  if (result < 0) throw new SystemCallError(call, lastErrno(library));
  return result;
}

/** Returns the bytes of a C string. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/** Returns the bytes of one 32-bit number, as `int` arguments are passed by address. */
export function intBytes(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint32Array([value]).buffer);
}
