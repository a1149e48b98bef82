/** Sends the state of the server to the service manager that started it, such as systemd. */
import { defined } from "../../base/defined.ts";
import { openLibc } from "../../base/libc.ts";

/** The service manager of this process. */
export interface ServiceManager {
  /**
   * Sends a state, such as `READY=1`. Line feeds separate several.
   *
   * @returns false when it could not be sent
   */
  notify(state: string): boolean;
  /** Half the time in milliseconds within which the manager expects a sign of life. Absent: it expects none. */
  readonly watchdogMs?: number;
}

/** socket(7), unix(7), sendto(2): the same on x86-64 and arm64. */
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000;
/** The size of `sun_path` in struct sockaddr_un. */
const MAX_PATH_BYTES = 108;
const CLOCK_MONOTONIC = 1;

/** The shortest period of signs of life in milliseconds. */
const MIN_WATCHDOG_MS = 100;

/**
 * Finds the service manager that the environment names.
 *
 * Source: sd_notify(3), sd_watchdog_enabled(3).
 *
 * @param env The variables of this process
 * @returns undefined without a manager
 */
export function openServiceManager(
  env: Readonly<Record<string, string | undefined>>,
  pid: number = Deno.pid,
): ServiceManager | undefined {
  if (!env.NOTIFY_SOCKET) return undefined;
  const address = socketAddress(env.NOTIFY_SOCKET);
  const watchdogMs = watchdogPeriodMs(env, pid);
  return {
    notify: (state) => address !== undefined && send(address, new TextEncoder().encode(state)),
    ...defined({ watchdogMs }),
  };
}

/** The struct sockaddr_un of a path, or of an abstract name after `@`. Undefined when it is neither. */
function socketAddress(name: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[/@]./.test(name)) return undefined;
  const path = new TextEncoder().encode(name);
  // A path ends with a zero byte. An abstract name begins with one, and has no end mark.
  const pathBytes = path.length + (name.startsWith("/") ? 1 : 0);
  if (pathBytes > MAX_PATH_BYTES) return undefined;
  if (name.startsWith("@")) path[0] = 0;
  const address = new Uint8Array(2 + pathBytes);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(path, 2);
  return address;
}

function watchdogPeriodMs(env: Readonly<Record<string, string | undefined>>, pid: number): number | undefined {
  const timeoutUs = Number(env.WATCHDOG_USEC);
  if (!Number.isSafeInteger(timeoutUs) || timeoutUs <= 0) return undefined;
  if (env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== String(pid)) return undefined;
  return Math.max(MIN_WATCHDOG_MS, Math.floor(timeoutUs / 2_000));
}

function send(address: Uint8Array<ArrayBuffer>, state: Uint8Array<ArrayBuffer>): boolean {
  try {
    const library = openLibc({
      socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
      sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
      close: { parameters: ["i32"], result: "i32" },
    });
    try {
      const { socket, sendto, close } = library.symbols;
      const descriptor = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
      if (descriptor < 0) return false;
      // This never waits: a manager that does not read must not hold the server up.
      const sent = sendto(descriptor, state, BigInt(state.length), MSG_DONTWAIT_NOSIGNAL, address, address.length);
      close(descriptor);
      return Number(sent) === state.length;
    } finally {
      library.close();
    }
  } catch {
    return false; // Another C library, or one of another name.
  }
}

/** The time of CLOCK_MONOTONIC in microseconds, which `RELOADING=1` is sent with. Undefined where it cannot be read. */
export function monotonicUs(): bigint | undefined {
  try {
    const library = openLibc({ clock_gettime: { parameters: ["i32", "buffer"], result: "i32" } });
    const time = new BigInt64Array(2);
    const result = library.symbols.clock_gettime(CLOCK_MONOTONIC, new Uint8Array(time.buffer));
    library.close();
    const [seconds = 0n, nanoseconds = 0n] = time;
    return result === 0 ? seconds * 1_000_000n + nanoseconds / 1_000n : undefined;
  } catch {
    return undefined;
  }
}
