/** Which process holds a lock on a file, as the kernel lists them; proc_locks(5). */

/**
 * Returns the process that has a lock on the file.
 *
 * @returns undefined when there is none, or when the list does not name it: in a container others are not seen
 */
export function lockHolder(path: string, locks: string = readLocks()): number | undefined {
  let file: Deno.FileInfo;
  try {
    file = Deno.statSync(path);
  } catch {
    return undefined;
  }
  const pids = locks.split("\n").flatMap((line) => {
    // Such as "1: POSIX  ADVISORY  WRITE 708 08:01:1234 0 EOF".
    const [, , , , pid = "", place = ""] = line.split(/ +/);
    const [major = "", minor = "", inode = ""] = place.split(":");
    const isSame = Number(inode) === file.ino && device(major, minor) === file.dev;
    return isSame && Number(pid) > 0 ? [Number(pid)] : [];
  });
  return pids[0];
}

/** A device's number as stat(2) has it; makedev(3). */
function device(major: string, minor: string): number {
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
