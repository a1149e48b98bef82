/**
 * Enlarges the pipes of jobs that write much. A pipe holds 64 KiB by default, pipe(7). With more, the job and this process
 * alternate less often, and each read brings more.
 *
 * Only descriptors of this process are used. Without the permission `ffi`, or where the job's descriptors are hidden, the
 * pipe keeps its size.
 */
import { openLibc } from "../../base/libc.ts";

/** The capacity of a pipe by default. Source: pipe(7) */
export const PIPE_BYTES = 65_536;

/** The capacity of an enlarged pipe. */
export const WIDE_PIPE_BYTES = 262_144;

/**
 * The most enlarged pipes. The system limits the pipes of a user other than root to 64 MiB together, and makes further
 * ones small. These have a quarter of that.
 */
const MAX_WIDE_PIPES = 64;

/** Sets the capacity of a pipe: F_SETPIPE_SZ of fcntl(2), from <linux/fcntl.h>. */
const SET_PIPE_SIZE = 1031;

/** The C library, opened once and never closed. Undefined without the permission `ffi`, or with another library than glibc. */
const library = openLibrary();

let wide = 0;

function openLibrary() {
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined; // Deno would ask the user.
    return openLibc({ fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" } });
  } catch {
    return undefined;
  }
}

/**
 * Enlarges the pipe that this process reads and another one has as its standard output or standard error.
 *
 * @returns the enlarged pipe, which the caller disposes of when nothing uses it any more; undefined when it keeps its size
 */
export function widenPipe(pid: number, descriptor: 1 | 2): Disposable | undefined {
  if (library === undefined || wide >= MAX_WIDE_PIPES) return undefined;
  const own = ownEnd(pid, descriptor);
  if (own === undefined || library.symbols.fcntl(own, SET_PIPE_SIZE, WIDE_PIPE_BYTES) < WIDE_PIPE_BYTES) {
    return undefined;
  }
  wide += 1;
  let isCounted = true;
  return {
    [Symbol.dispose]() {
      if (isCounted) wide -= 1;
      isCounted = false;
    },
  };
}

/** Returns the descriptor of this process for the pipe. Undefined when it is not found. */
function ownEnd(pid: number, descriptor: number): number | undefined {
  try {
    // Such as "pipe:[4711]": proc_pid_fd(5). The other process may have put something else in its place.
    const pipe = Deno.readLinkSync(`/proc/${pid}/fd/${descriptor}`);
    if (!pipe.startsWith("pipe:")) return undefined;
    for (const { name } of Deno.readDirSync("/proc/self/fd")) {
      if (isLinkTo(`/proc/self/fd/${name}`, pipe)) return Number(name);
    }
  } catch {
    // The process has ended, or belongs to another user.
  }
  return undefined;
}

function isLinkTo(path: string, target: string): boolean {
  try {
    return Deno.readLinkSync(path) === target;
  } catch {
    return false; // The descriptor of the directory itself is closed by now.
  }
}
