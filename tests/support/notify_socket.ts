/** A service manager's end of sd_notify(3): a datagram socket, which Deno does not offer without an unstable flag. */
import { openLibc } from "../../base/libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
/** setsockopt(2): a wait for a datagram ends with EAGAIN after this time. */
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const DEADLINE_S = 60n;

/** The receiver of states. */
export interface NotifySocket extends Disposable {
  /** The value of `NOTIFY_SOCKET`. */
  readonly path: string;
  /**
   * Waits for the next state.
   *
   * @throws {Error} when none comes within the deadline
   */
  receive(): Promise<string>;
  /** Waits for the first state that matches, and returns it with those before it. */
  receiveUntil(wanted: RegExp): Promise<string[]>;
}

/** Listens at a path, or at an abstract name after `@`, until it is disposed of. */
export function listenForStates(path: string): NotifySocket {
  const library = openLibc({
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
    recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize", nonblocking: true },
    close: { parameters: ["i32"], result: "i32" },
  });
  const { socket, bind, setsockopt, recv, close } = library.symbols;
  const descriptor = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  const name = new TextEncoder().encode(path);
  const isAbstract = path.startsWith("@");
  if (isAbstract) name[0] = 0;
  const address = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  address[0] = AF_UNIX;
  address.set(name, 2);
  const timeout = new Uint8Array(new BigInt64Array([DEADLINE_S, 0n]).buffer);
  if (
    bind(descriptor, address, address.length) !== 0 ||
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length) !== 0
  ) throw new Error(`Cannot listen at "${path}"`);
  const receive = async () => {
    const buffer = new Uint8Array(4096);
    const length = Number(await recv(descriptor, buffer, BigInt(buffer.length), 0));
    if (length < 0) throw new Error(`No state came within ${DEADLINE_S} s`);
    return new TextDecoder().decode(buffer.subarray(0, length));
  };
  return {
    path,
    receive,
    async receiveUntil(wanted) {
      const states: string[] = [];
      do states.push(await receive()); while (!wanted.test(states.at(-1)!));
      return states;
    },
    [Symbol.dispose]() {
      close(descriptor);
      library.close();
      if (!isAbstract) Deno.removeSync(path);
    },
  };
}
