/** The calls of the C library for pseudo terminals, through Deno's FFI: their signatures, constants and errors. */
import { errnoMessage, errnoName } from "../../base/errno.ts";
import { openLibc } from "../../base/libc.ts";

// Linux on x86-64 and arm64, from <fcntl.h>, <poll.h>, <sys/eventfd.h>, <asm-generic/ioctls.h> and <asm/termbits.h>.
const O_RDWR = 2;
const O_NOCTTY = 0o400;
export const NONBLOCK = 0o4000;
/** Without this flag every job would inherit the terminals of the others. */
export const CLOEXEC = 0o2000000;
export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLFD_BYTES = 8;
const TCGETS = 0x5401n;
const TCSETS = 0x5402n;
const TIOCSWINSZ = 0x5414n;
const TIOCGPTN = 0x80045430n;
const TIOCSPTLCK = 0x40045431n;
/** struct termios of the kernel: four words of flags, a byte, and 19 control characters; 36 bytes, and some room. */
const TERMIOS_BYTES = 64;
const LOCAL_FLAGS_AT = 12;
const CONTROL_CHARACTERS_AT = 17;
const IUTF8 = 0o40000;
const ICANON = 2;
const VEOF = 4;

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
  eventfd_read: { parameters: ["i32", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** A call that failed. */
export class TerminalCallError extends Error {
  override readonly name = "TerminalCallError";
  /** The name of the error number, such as `EMFILE`. */
  readonly code: string | undefined;

  /** @param call the call, such as `open /dev/ptmx` */
  constructor(call: string, errno: number) {
    const code = errnoName(errno);
    super(`Cannot ${call}: ${errnoMessage(code)}`);
    this.code = code;
  }
}

/** The C library with the calls for pseudo terminals. The owner closes it. */
export class TerminalCalls {
  readonly #library = openLibc(SYMBOLS);

  get symbols(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
    return this.#library.symbols;
  }

  /** The error number of the last call. */
  get errno(): number {
    const address = this.symbols.__errno_location();
    return address === null ? 0 : new Deno.UnsafePointerView(address).getInt32();
  }

  /**
   * Opens a device. It never becomes the controlling terminal of this process.
   *
   * @throws {TerminalCallError} when that fails
   */
  open(path: string, flags = 0): number {
    const name = new TextEncoder().encode(`${path}\0`);
    return this.check(`open ${path}`, this.symbols.open(name, O_RDWR | O_NOCTTY | CLOEXEC | flags));
  }

  /**
   * Unlocks the slave of a master, and returns its number; ptmx(4).
   *
   * @throws {TerminalCallError} when that fails
   */
  slaveOf(master: number): number {
    const number = new Int32Array(1);
    const bytes = new Uint8Array(number.buffer);
    this.check("unlock the terminal", this.symbols.ioctl(master, TIOCSPTLCK, bytes));
    this.check("find the terminal", this.symbols.ioctl(master, TIOCGPTN, bytes));
    return number[0] ?? 0;
  }

  /**
   * Sets the size of a terminal. If it has changed, the foreground process group gets SIGWINCH; ioctl_tty(2).
   *
   * @throws {TerminalCallError} when that fails
   */
  setSize(master: number, columns: number, rows: number): void {
    const size = new Uint8Array(new Uint16Array([rows, columns, 0, 0]).buffer);
    this.check("set the size of the terminal", this.symbols.ioctl(master, TIOCSWINSZ, size));
  }

  /** Makes the terminal erase whole characters of UTF-8, and not single bytes; termios(3), IUTF8. */
  setUtf8(master: number): void {
    const settings = this.#settingsOf(master);
    if (settings === undefined) return;
    settings.setUint32(0, settings.getUint32(0, true) | IUTF8, true);
    this.symbols.ioctl(master, TCSETS, new Uint8Array(settings.buffer));
  }

  /**
   * Returns the character that ends the input, and whether the terminal gathers lines. Undefined if it cannot be read.
   */
  endCharacterOf(master: number): { readonly character: number; readonly gathersLines: boolean } | undefined {
    const settings = this.#settingsOf(master);
    if (settings === undefined) return undefined;
    const gathersLines = (settings.getUint32(LOCAL_FLAGS_AT, true) & ICANON) !== 0;
    return { character: settings.getUint8(CONTROL_CHARACTERS_AT + VEOF), gathersLines };
  }

  #settingsOf(master: number): DataView<ArrayBuffer> | undefined {
    const settings = new Uint8Array(TERMIOS_BYTES);
    return this.symbols.ioctl(master, TCGETS, settings) < 0 ? undefined : new DataView(settings.buffer);
  }

  /**
   * Returns the result of a call.
   *
   * @throws {TerminalCallError} when the result is negative
   */
  check(call: string, result: number): number {
    if (result < 0) throw new TerminalCallError(call, this.errno);
    return result;
  }

  /** Closes the library. */
  [Symbol.dispose](): void {
    this.#library.close();
  }
}
