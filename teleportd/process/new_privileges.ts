/** Makes the process and all its jobs unable to gain privileges, once instead of by a launcher for each job. */
import { openLibc } from "../../base/libc.ts";

/** prctl(2): the option as in <linux/prctl.h>. Children inherit it, execve(2) keeps it, and nothing undoes it. */
const PR_SET_NO_NEW_PRIVS = 38;

/**
 * Takes from this thread, which starts the jobs, what set-user-id programs and file capabilities would give. This cannot
 * be undone, so only the process of a server calls it. Source: prctl(2), Documentation/userspace-api/no_new_privs.rst.
 *
 * @returns false when the C library has no such call; each job then needs setpriv(1)
 */
export function giveUpNewPrivileges(): boolean {
  try {
    const library = openLibc({
      prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
    });
    const result = library.symbols.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n);
    library.close();
    return result === 0;
  } catch {
    return false; // Another C library, or one with another file name.
  }
}
