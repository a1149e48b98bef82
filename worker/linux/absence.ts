/**
 * Calls that find out whether a file or a process is missing. Each start makes several, and most find nothing. Deno throws an
 * error then, which takes ten times as long as the call of the C library.
 */
import { constants } from "node:os";
import { openLibc } from "../../base/libc.ts";

/** Tests for the existence of a file: access(2). */
const F_OK = 0;

/** The C library, opened once and never closed. Undefined without the permission `ffi`, or with another library than glibc. */
const library = openLibrary();

function openLibrary() {
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined; // Deno would ask the user.
    const { symbols } = openLibc({
      access: { parameters: ["buffer", "i32"], result: "i32" },
      kill: { parameters: ["i32", "i32"], result: "i32" },
      __errno_location: { parameters: [], result: "pointer" },
    });
    const errno = symbols.__errno_location();
    return errno === null ? undefined : { ...symbols, errno: new Deno.UnsafePointerView(errno) };
  } catch {
    return undefined;
  }
}

const encoder = new TextEncoder();

/** Returns true if a path does not exist: ENOENT. False if it exists, cannot be reached, or is not known. */
export function isMissing(path: string): boolean {
  if (library === undefined) return false;
  return library.access(encoder.encode(`${path}\0`), F_OK) !== 0 && library.errno.getInt32() === constants.errno.ENOENT;
}

/**
 * Returns true if a process or a process group does not exist. Undefined if that is not known.
 *
 * @param pid the process, or minus the id of a process group
 */
export function isGone(pid: number): boolean | undefined {
  if (library === undefined) return undefined;
  return library.kill(pid, 0) !== 0 && library.errno.getInt32() === constants.errno.ESRCH;
}
