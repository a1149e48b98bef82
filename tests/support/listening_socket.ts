/** A listening socket that child processes inherit, as a service manager passes one. */
import { openLibc } from "../../base/libc.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const BACKLOG = 128;

/** A socket of this process, which its children inherit. */
export interface InheritedSocket extends Disposable {
  readonly descriptor: number;
  /** HOST:PORT. */
  readonly address: string;
  /**
   * Returns the beginning of a command line that passes the socket to a program as its descriptor 3, by
   * sd_listen_fds(3). It needs bash, because other shells cannot name descriptors above 9.
   */
  readonly starter: readonly string[];
}

/** Opens a socket on a free port of 127.0.0.1, which by default listens. */
export function inheritableSocket(kind: "listening" | "connected to nothing" | "udp" = "listening"): InheritedSocket {
  const library = openLibc({
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    listen: { parameters: ["i32", "i32"], result: "i32" },
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const { socket, bind, listen, getsockname, close } = library.symbols;
  // Without SOCK_CLOEXEC: children inherit it.
  const descriptor = socket(AF_INET, kind === "udp" ? SOCK_DGRAM : SOCK_STREAM, 0);
  const address = new Uint8Array([AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  const isOpen = descriptor >= 0 && bind(descriptor, address, address.length) === 0 &&
    (kind !== "listening" || listen(descriptor, BACKLOG) === 0) &&
    getsockname(descriptor, address, new Uint8Array(new Uint32Array([address.length]).buffer)) === 0;
  if (!isOpen) throw new Error("Cannot open a socket for a test");
  return {
    descriptor,
    address: `127.0.0.1:${new DataView(address.buffer).getUint16(2)}`,
    starter: [
      "bash",
      "-c",
      `exec 3<&${descriptor}; export LISTEN_FDS=1 LISTEN_FDNAMES=test LISTEN_PID=$$; exec "$@"`,
      "bash",
    ],
    [Symbol.dispose]() {
      close(descriptor);
      library.close();
    },
  };
}
