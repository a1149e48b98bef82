/** Finds the process that holds a lock on a file, by the kernel's list of locks: proc_locks(5). */

/**
 * How often the list is read at most. The kernel gives a page of it at a time, by the positions of the locks. A lock that
 * ends meanwhile moves the later ones, so one of them may be missing.
 */
const MAX_READINGS = 5;

/**
 * Returns the id of the process that holds a lock on the file.
 *
 * @param read reads the kernel's list
 * @returns undefined when the list names no process; a container does not see processes outside
 */
export function lockHolder(path: string, read: () => string = readLocks): number | undefined {
  let file: Deno.FileInfo;
  try {
    file = Deno.statSync(path);
  } catch {
    return undefined;
  }
  for (let reading = 0; reading < MAX_READINGS; reading++) {
    const pid = holderIn(read(), file);
    if (pid !== undefined) return pid;
  }
  return undefined;
}

/** Returns the id of the process that the list names for a file. */
function holderIn(locks: string, file: Deno.FileInfo): number | undefined {
  const pids = locks.split("\n").flatMap((line) => {
    // Such as "1: POSIX  ADVISORY  WRITE 708 08:01:1234 0 EOF".
    const [, , , , pid = "", place = ""] = line.split(/ +/);
    const [major = "", minor = "", inode = ""] = place.split(":");
    const isSame = Number(inode) === file.ino && deviceNumber(major, minor) === file.dev;
    return isSame && Number(pid) > 0 ? [Number(pid)] : [];
  });
  return pids[0];
}

/** Returns a device's number as stat(2) has it: makedev(3). */
function deviceNumber(major: string, minor: string): number {
  const [high, low] = [parseInt(major, 16), parseInt(minor, 16)];
  return (low & 0xff) + high * 0x100 + Math.floor(low / 0x100) * 0x100000;
}

function readLocks(): string {
  try {
    return Deno.readTextFileSync("/proc/locks");
  } catch {
    return "";
  }
}
