/**
 * Gives each start a tag that the process and everything it starts inherit and cannot lose by accident: the hard limit on
 * real-time processor time (RLIMIT_RTTIME), an attribute of a process like its niceness.
 *
 * fork(2) and execve(2) keep it, also of set-user-id programs; a new session, a cleared environment and the death of a
 * parent do not touch it; anybody may read it in /proc/PID/limits. Without privileges a process can lower it and never
 * raise it. The values used here are of some 100,000 years, which no process comes near, and only time in the real-time
 * scheduling classes counts at all. Sources: getrlimit(2), proc_pid_limits(5).
 */
import { openLibc } from "../../base/libc.ts";

/** The same on all architectures that Deno runs on: <asm-generic/resource.h>. */
const RLIMIT_RTTIME = 15;

/** Tags lie between these, in microseconds. What was set to less was meant as a limit, and stays as it is. */
const GREATEST = 2n ** 62n;
const LEAST = 2n ** 61n;

/**
 * Each process begins at random within this share of what is left, so that no two on one host give out the same tags. It
 * leaves enough to servers in jobs of servers, 40 deep.
 */
const BEGIN_SHARE = 16n;

/** The limit can only be lowered, so a tag is below the one before by up to 2^32: enough for 100 million starts. */
const MAX_STEP = 2n ** 32n;

/**
 * Opened once, when this is loaded, and for good. Undefined without the permission `ffi`, or where the C library is
 * another one.
 */
const library = openLibrary();

function openLibrary() {
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined; // It would ask the user.
    return openLibc({
      getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
      setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    });
  } catch {
    return undefined;
  }
}

/** struct rlimit: the soft limit and the hard one. */
const limits = new BigUint64Array(2);

/** What this process carries now; undefined before the first start. */
let carried: bigint | undefined;

/** Whether starts get tags here. Not where this process has a real limit on real-time processor time. */
export function hasTags(): boolean {
  return nextTag() >= LEAST;
}

/**
 * Calls a function that starts a process, and returns its result.
 *
 * @param start gets the tag that what it starts at once will carry, as /proc/PID/limits shows it; undefined where there is
 * none. Nothing else that this process starts carries it
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

/** The next tag, with room for one more below it; less than the least where there is none. */
function nextTag(): bigint {
  if (library === undefined) return 0n;
  if (carried !== undefined) return carried - 2n * MAX_STEP < LEAST ? 0n : carried - 1n - random(MAX_STEP);
  // In a job of another server it begins below that server's tag.
  const own = library.symbols.getrlimit(RLIMIT_RTTIME, limits) === 0 ? limits[1] ?? 0n : 0n;
  const begin = own < GREATEST ? own : GREATEST;
  return begin - 2n * MAX_STEP < LEAST ? 0n : begin - 1n - random((begin - LEAST) / BEGIN_SHARE);
}

/** Lowering a limit needs no privilege. */
function carry(tag: bigint): boolean {
  if (library?.symbols.setrlimit(RLIMIT_RTTIME, limits.fill(tag)) !== 0) return false;
  carried = tag;
  return true;
}

/** At least 0 and less than the bound. */
function random(bound: bigint): bigint {
  const [bits = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return (bits * bound) >> 64n;
}
