/**
 * What the starter of this process handed to it, and it would hand to its jobs: descriptors, ignored and blocked signals,
 * umask, niceness and the like. Each job gets what any other program gets, so whatever is unusual here sends a start through
 * the launcher. `keepFromJobs` takes most of it away once, at no cost for a start.
 */
import { openLibc } from "../../base/libc.ts";
import { baseNice, read, readHost } from "./host.ts";

/** What is unusual about this process. */
export interface Inheritance {
  /** Descriptors above 2 that every program gets which is started here. */
  readonly descriptors: readonly number[];
  /** True where a signal is blocked, or ignored that Deno does not ignore by itself. */
  readonly holdsSignals: boolean;
  readonly umask: number;
  readonly oomScoreAdj: number;
  readonly nice: number;
  /** The least niceness that a job can have. */
  readonly baseNice: number;
  /** Whether the scheduling policy is another than that of all programs, and can be changed. */
  readonly hasPolicy: boolean;
  readonly hasIoPriority: boolean;
  /** Whether there are ambient or inheritable capabilities. */
  readonly hasAmbientCapabilities: boolean;
}

/** What every login shell and service manager gives: umask(2). */
export const PLAIN_UMASK = 0o022;

/** Rust ignores SIGPIPE and gives it back; 32 and 33 are the C library's own, which its posix_spawn(3) ignores. */
const NOT_HANDED_ON: readonly number[] = [13, 32, 33];
const CAP_SYS_NICE = 23n;
const SCHED_OTHER = 0;
const SCHED_IDLE = 5;

let known: Inheritance | undefined;
let hasIoPriority = false;
let isKept = false;

/** What this process was handed. It is read once: what it does to itself later is its own business. */
export function inheritance(): Inheritance {
  return known ??= readInheritance();
}

function readInheritance(): Inheritance {
  const status = read("/proc/thread-self/status");
  const mask = (name: string) => BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  const stat = read("/proc/thread-self/stat");
  // proc_pid_stat(5): the name in parentheses may hold anything; behind it comes the third field.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const host = readHost();
  const nice = Number(fields[16] ?? 0);
  const policy = Number(fields[38] ?? 0);
  const mayRaise = (host.capabilities >> CAP_SYS_NICE & 1n) === 1n;
  return {
    descriptors: inheritedDescriptors(),
    holdsSignals: ignoredSignals(status).length > 0 || mask("SigBlk") !== 0n,
    umask: parseInt(/^Umask:\s*([0-7]+)$/m.exec(status)?.[1] ?? "22", 8),
    oomScoreAdj: host.oomScoreAdj,
    nice,
    // A program that keeps nothing from its jobs runs them as low as itself, as any program does.
    baseNice: nice > 0 && !isKept ? nice : baseNice({ ...host, nice }),
    hasPolicy: policy !== SCHED_OTHER && (policy !== SCHED_IDLE || mayRaise),
    hasIoPriority,
    hasAmbientCapabilities: mask("CapAmb") !== 0n || mask("CapInh") !== 0n,
  };
}

/** The numbers of the signals that are ignored and that jobs would ignore too. */
function ignoredSignals(status: string): number[] {
  const mask = BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return Array.from({ length: 64 }, (_, index) => index + 1)
    .filter((number) => (mask >> BigInt(number - 1) & 1n) === 1n && !NOT_HANDED_ON.includes(number));
}

/** All that Deno opens itself is closed in what it starts; what is not was open before. */
function inheritedDescriptors(): number[] {
  const isOpen = (descriptor: number) => {
    const flags = /^flags:\s*([0-7]+)$/m.exec(read(`/proc/self/fdinfo/${descriptor}`))?.[1];
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
/** sigset_t of the C library. */
const SIGSET_BYTES = 128;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4n;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const KEYCTL_JOIN_SESSION_KEYRING = 1n;
const KEYCTL_SETPERM = 5n;
const KEY_SPEC_SESSION_KEYRING = -3n;
/** Who has the keyring may look and search, and neither write to it nor change that; its owner may look. */
const KEYS_TO_READ = 0x0b010000n;
/** syscall(2) numbers. */
const CALLS = {
  x86_64: { keyctl: 250n, ioprioGet: 252n },
  aarch64: { keyctl: 219n, ioprioGet: 31n },
} as const;
/** ioprio_get(2). */
const IOPRIO_WHO_PROCESS = 1n;

/**
 * Keeps from all jobs of this process, for good, what its starter left open, ignored, blocked or lent: descriptors,
 * signals, ambient and inheritable capabilities, and the keys of its session. This process goes on as before: it still
 * has the descriptors, and a signal that it was told to ignore still does nothing to it. A blocked one reaches it again.
 *
 * It needs the permission `ffi`. A program that does not call it has each job started through the launcher where there
 * is anything to keep from it, as far as that can: not descriptors above 9, not keys, not the priority of its disk, and
 * not a niceness above 0.
 *
 * To be called before the first job is started, on the thread that starts them.
 *
 * @param options.niceness false leaves a niceness above 0 to the jobs
 * @returns false where the C library cannot be called
 * @example
 * ```ts
 * import { keepFromJobs } from "./inheritance.ts";
 *
 * keepFromJobs();
 * ```
 */
export function keepFromJobs(options: { readonly niceness?: boolean } = {}): boolean {
  isKept = options.niceness ?? true;
  try {
    const library = openLibrary();
    const { fcntl, signal, pthread_sigmask, dlsym, prctl, capget, capset, syscall } = library.symbols;
    for (const descriptor of inheritedDescriptors()) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    // A signal that is handled does what it does by default after execve(2); abs(3) does nothing with its number.
    const nothing = dlsym(null, encoder.encode("abs\0"));
    if (nothing !== null) {
      for (const number of ignoredSignals(read("/proc/thread-self/status"))) signal(number, nothing);
    }
    // Each process has the mask of the thread that starts it.
    pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGSET_BYTES), null);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0n, 0n, 0n);
    dropInheritable(capget, capset);
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

/** capset(2): the header is version and thread, the data twice effective, permitted and inheritable, 32 bits each. */
function dropInheritable(capget: Symbols["capget"], capset: Symbols["capset"]): void {
  const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]);
  const data = new Uint32Array(6);
  if (capget(header, data) !== 0) return;
  data[2] = data[5] = 0;
  capset(header, data);
}

const encoder = new TextEncoder();
