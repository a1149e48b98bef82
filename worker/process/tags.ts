/**
 * Gives each start a tag that the process and all its descendants inherit: the hard limit on real-time processor time
 * (RLIMIT_RTTIME).
 *
 * A process cannot lose its tag by accident. fork(2) and execve(2) keep it, also for set-user-id programs. A new session,
 * a cleared environment and the death of a parent do not change it. Every user may read it in /proc/PID/limits. Without
 * privileges a process can lower the limit but not raise it.
 *
 * The limit has no effect: the values are some 100,000 years, and only time in the real-time scheduling classes counts.
 * Sources: getrlimit(2), proc_pid_limits(5).
 */
import { openLibc } from "../../base/libc.ts";

/** The same on all architectures that Deno runs on: <asm-generic/resource.h>. */
const RLIMIT_RTTIME = 15;

/** The range of tags, in microseconds. A limit below it was meant as a limit and is left unchanged. */
const GREATEST = 2n ** 62n;
const LEAST = 2n ** 61n;

/**
 * The first tag of a server is random within this share of the range, so that servers on one host use different tags. The
 * rest is enough for servers in jobs of servers, 40 levels deep.
 */
const BEGIN_SHARE = 16n;

/** The greatest difference between two tags. Each is lower than the last; the range is enough for 100 million starts. */
const MAX_STEP = 2n ** 32n;

/**
 * The C library, opened once and never closed. Undefined without the permission `ffi`, or with another C library than
 * glibc.
 */
const library = openLibrary();

function openLibrary() {
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined; // Deno would ask the user.
    return openLibc({
      getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
      setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    });
  } catch {
    return undefined;
  }
}

/** struct rlimit: the soft and the hard limit. */
const limits = new BigUint64Array(2);

/** The tag of this process now. Undefined before the first start. */
let carried: bigint | undefined;

/** Returns true if starts get tags. They do not if this process has a real limit on real-time processor time. */
export function hasTags(): boolean {
  return nextTag() >= LEAST;
}

/**
 * Calls a function that starts a process, and returns its result.
 *
 * @param start starts the process synchronously. Its argument is the tag of that process, as /proc/PID/limits shows it;
 * undefined if it has none. No other process gets the same tag
 */
export function withTag<Result>(start: (tag: string | undefined) => Result): Result {
  const tag = nextTag();
  if (tag < LEAST || !carry(tag)) return start(undefined);
  try {
    return start(String(tag));
  } finally {
    carry(tag - 1n - random(MAX_STEP));
  }
}

/** Returns the next tag, with room for one more below it. Returns less than `LEAST` if no tag is left. */
function nextTag(): bigint {
  if (library === undefined) return 0n;
  if (carried !== undefined) return carried - 2n * MAX_STEP < LEAST ? 0n : carried - 1n - random(MAX_STEP);
  // In a job of another server, the tags begin below that server's tag.
  const own = library.symbols.getrlimit(RLIMIT_RTTIME, limits) === 0 ? limits[1] ?? 0n : 0n;
  const begin = own < GREATEST ? own : GREATEST;
  return begin - 2n * MAX_STEP < LEAST ? 0n : begin - 1n - random((begin - LEAST) / BEGIN_SHARE);
}

/** Sets the tag of this process. To lower a limit needs no privilege. */
function carry(tag: bigint): boolean {
  if (library?.symbols.setrlimit(RLIMIT_RTTIME, limits.fill(tag)) !== 0) return false;
  carried = tag;
  return true;
}

/** Returns a random number from 0 to below the bound. */
function random(bound: bigint): bigint {
  const [bits = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return (bits * bound) >> 64n;
}
