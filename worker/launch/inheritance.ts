/**
 * Keeps jobs from inheriting the unusual properties of the server's process: descriptors, ignored and blocked signals,
 * umask, niceness and others. A job must get what any other program gets. `keepFromJobs` resets most of them once, at no
 * cost for a start. For the rest, a start needs the launcher.
 */
import { CAP, hasCapability } from "../../base/capabilities.ts";
import { openLibc } from "../../base/libc.ts";
import { baseNice, readHost, readProcFile } from "./host.ts";

/** The properties of this process that its jobs would inherit. */
export interface Inheritance {
  /** The descriptors above 2 that its children inherit. */
  readonly descriptors: readonly number[];
  /** True if a signal is blocked, or is ignored although Deno does not ignore it. */
  readonly holdsSignals: boolean;
  readonly umask: number;
  readonly oomScoreAdj: number;
  readonly nice: number;
  /** The default niceness of its jobs. */
  readonly baseNice: number;
  /** True if the scheduling policy is not the normal one and can be changed. */
  readonly hasPolicy: boolean;
  /** True if the priority for disks is not the normal one. */
  readonly hasIoPriority: boolean;
  /** True if it has ambient or inheritable capabilities. */
  readonly hasAmbientCapabilities: boolean;
}

/** The umask that every login shell and service manager sets: umask(2). */
export const PLAIN_UMASK = 0o022;

/** Ignored signals that do not count: Rust resets SIGPIPE in children, and posix_spawn(3) ignores its own 32 and 33. */
const NOT_INHERITED: readonly number[] = [13, 32, 33];
const SCHED_OTHER = 0;
const SCHED_IDLE = 5;

let known: Inheritance | undefined;
let hasIoPriority = false;
let isKept = false;

/** Returns the properties of this process. They are read once: its own later changes do not count. */
export function inheritance(): Inheritance {
  return known ??= readInheritance();
}

function readInheritance(): Inheritance {
  const status = readProcFile("/proc/thread-self/status");
  const mask = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  const stat = readProcFile("/proc/thread-self/stat");
  // proc_pid_stat(5): the name in parentheses may contain any character. The third field follows it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const host = readHost();
  const nice = Number(fields[16] ?? 0);
  const policy = Number(fields[38] ?? 0);
  const mayRaise = hasCapability(host.capabilities, CAP.SYS_NICE);
  return {
    descriptors: inheritedDescriptors(),
    holdsSignals: ignoredSignals(status).length > 0 || mask("SigBlk") !== 0n,
    umask: parseInt(/^Umask:\s*([0-7]+)$/m.exec(status)?.[1] ?? "22", 8),
    oomScoreAdj: host.oomScoreAdj,
    nice,
    // Without `keepFromJobs`, jobs get the niceness of this process, as the children of any program do.
    baseNice: nice > 0 && !isKept ? nice : baseNice({ ...host, nice }),
    hasPolicy: policy !== SCHED_OTHER && (policy !== SCHED_IDLE || mayRaise),
    hasIoPriority,
    hasAmbientCapabilities: mask("CapAmb") !== 0n || mask("CapInh") !== 0n,
  };
}

/** Returns the numbers of the ignored signals that children inherit. */
function ignoredSignals(status: string): number[] {
  const mask = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return Array.from({ length: 64 }, (_, index) => index + 1)
    .filter((number) => (mask >> BigInt(number - 1) & 1n) === 1n && !NOT_INHERITED.includes(number));
}

/** Returns the descriptors that children inherit. Deno sets O_CLOEXEC on its own, so these were open before. */
function inheritedDescriptors(): number[] {
  const isOpen = (descriptor: number) => {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readProcFile(`/proc/self/fdinfo/${descriptor}`))?.[1];
    return flags !== undefined && (parseInt(flags, 8) & O_CLOEXEC) === 0;
  };
  try {
    return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => Number(name))
      .filter((descriptor) => descriptor > 2 && isOpen(descriptor)).sort((a, b) => a - b);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

// As in <fcntl.h>, <signal.h>, <linux/prctl.h>, <linux/capability.h>, <linux/keyctl.h>; the same on x86-64 and arm64.
const O_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const SIG_SETMASK = 2;
/** The size of sigset_t in the C library. */
const SIGSET_BYTES = 128;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4n;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const KEYCTL_JOIN_SESSION_KEYRING = 1n;
const KEYCTL_SETPERM = 5n;
const KEY_SPEC_SESSION_KEYRING = -3n;
/** The possessor of the keyring may view, read and search it, but not change it. Its owner may view it. */
const KEYS_TO_READ = 0x0b010000n;
/** The numbers of the calls, for syscall(2). */
const CALLS = {
  x86_64: { keyctl: 250n, ioprioGet: 252n },
  aarch64: { keyctl: 219n, ioprioGet: 31n },
} as const;
/** ioprio_get(2). */
const IOPRIO_WHO_PROCESS = 1n;

/**
 * Keeps all jobs of this process from inheriting its descriptors, ignored and blocked signals, ambient and inheritable
 * capabilities, and session keys. The process itself keeps its descriptors and continues to ignore the same signals.
 * Blocked signals reach it again.
 *
 * Call it before the first job starts, on the thread that starts jobs. It needs the permission `ffi`. Without the call,
 * the launcher resets the properties for each job. The launcher cannot reset descriptors above 9, keys, the priority for
 * disks, and a niceness above 0.
 *
 * @param options.niceness false lets jobs inherit a niceness above 0
 * @param options.capabilities false keeps ambient and inheritable capabilities, for a job host that this process starts
 * @returns false if the C library cannot be called
 * @example
 * ```ts
 * import { keepFromJobs } from "./inheritance.ts";
 *
 * keepFromJobs();
 * ```
 */
export function keepFromJobs(
  options: { readonly niceness?: boolean; readonly capabilities?: boolean } = {},
): boolean {
  isKept = options.niceness ?? true;
  try {
    const library = openLibrary();
    const { fcntl, signal, pthread_sigmask, dlsym, prctl, capget, capset, syscall } = library.symbols;
    for (const descriptor of inheritedDescriptors()) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    // execve(2) resets a handled signal to its default action. As a handler, abs(3) does nothing.
    const nothing = dlsym(null, encoder.encode("abs\0"));
    if (nothing !== null) {
      for (const number of ignoredSignals(readProcFile("/proc/thread-self/status"))) signal(number, nothing);
    }
    // A process inherits the mask of the thread that starts it.
    pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGSET_BYTES), null);
    if (options.capabilities !== false) {
      prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0n, 0n, 0n);
      dropInheritable(capget, capset);
    }
    const calls = CALLS[Deno.build.arch];
    if (syscall(calls.keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0n, 0n, 0n, 0n) >= 0n) {
      syscall(calls.keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, KEYS_TO_READ, 0n, 0n);
    }
    hasIoPriority = syscall(calls.ioprioGet, IOPRIO_WHO_PROCESS, 0n, 0n, 0n, 0n) > 0n;
    library.close();
    return true;
  } catch {
    return false; // Another C library, or no permission.
  } finally {
    known = readInheritance();
  }
}

function openLibrary() {
  return openLibc({
    fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
    signal: { parameters: ["i32", "pointer"], result: "pointer" },
    pthread_sigmask: { parameters: ["i32", "buffer", "pointer"], result: "i32" },
    dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
    prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
    capget: { parameters: ["buffer", "buffer"], result: "i32" },
    capset: { parameters: ["buffer", "buffer"], result: "i32" },
    syscall: { parameters: ["i64", "i64", "i64", "i64", "i64", "i64"], result: "i64" },
  });
}

type Symbols = ReturnType<typeof openLibrary>["symbols"];

/** Clears the inheritable set. The data has the sets effective, permitted and inheritable twice, 32 bits each: capset(2). */
function dropInheritable(capget: Symbols["capget"], capset: Symbols["capset"]): void {
  const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]);
  const data = new Uint32Array(6);
  if (capget(header, data) !== 0) return;
  data[2] = data[5] = 0;
  capset(header, data);
}

const encoder = new TextEncoder();
