/**
 * Gives each job a tag that everything it starts inherits and cannot lose by accident: the hard limit on real-time
 * processor time (RLIMIT_RTTIME), an attribute of a process like its niceness.
 *
 * fork(2) and execve(2) keep it, also of set-user-id programs; a new session, a cleared environment and the death of a
 * parent do not touch it; anybody may read it in /proc/PID/limits. Without privileges a process can lower it and never
 * raise it. The values used here are of some 100,000 years, which no process comes near, and only those of the real-time
 * scheduling classes are counted at all. Sources: getrlimit(2), proc_pid_limits(5).
 */
import type { StartTags } from "../mod.ts";
import { openLibc } from "./libc.ts";

/** The same on all architectures that Deno runs on: <asm-generic/resource.h>. */
const RLIMIT_RTTIME = 15;

/** Tags lie between these, in microseconds. What was set to less was meant as a limit, and stays as it is. */
const GREATEST = 2n ** 62n;
const LEAST = 2n ** 61n;

/**
 * Each server begins at random within this share of what is left, so that no two on one host give out the same tags. It
 * leaves enough to servers in jobs of servers, 40 deep.
 */
const BEGIN_SHARE = 16n;

/** The limit can only be lowered, so a tag is below the one before by up to 2^32: enough for 100 million starts. */
const MAX_STEP = 2n ** 32n;

/** Opens the tags of this server; undefined where the C library is another one, or a real limit is set. */
export function openStartTags(): (StartTags & Disposable) | undefined {
  const library = openLibc({
    getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
    setrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  });
  if (library === undefined) return undefined;
  const { getrlimit, setrlimit } = library.symbols;
  /** struct rlimit: the soft limit and the hard one. */
  const limits = new BigUint64Array(2);
  /** Lowering a limit needs no privilege and does not fail. */
  const set = (limit: bigint) => setrlimit(RLIMIT_RTTIME, limits.fill(limit)) === 0;
  // In a job of another server it begins below that server's tag.
  const own = getrlimit(RLIMIT_RTTIME, limits) === 0 ? limits[1] ?? 0n : 0n;
  const begin = own < GREATEST ? own : GREATEST;
  let tag = begin - random((begin - LEAST) / BEGIN_SHARE);
  if (begin <= LEAST || !set(tag)) {
    library.close();
    return undefined;
  }
  /** Carries the next tag from now on. */
  const next = () => {
    tag -= 1n + random(MAX_STEP);
    set(tag);
    return String(tag);
  };
  return {
    run: (start) => {
      if (tag - 2n * MAX_STEP < LEAST) return start(undefined);
      try {
        return start(next());
      } finally {
        next(); // What the server itself starts is not this job's.
      }
    },
    [Symbol.dispose]: () => library.close(),
  };
}

/** At least 0 and less than the bound. */
function random(bound: bigint): bigint {
  const [bits = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return (bits * bound) >> 64n;
}
