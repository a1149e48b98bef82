/** Keeps the server and all its jobs from ever gaining privileges: once, instead of by a launcher for each job. */
import { openLibc } from "../base/libc.ts";

/** prctl(2): the option, as in <linux/prctl.h>. It is inherited by all children, kept over execve, and never undone. */
const PR_SET_NO_NEW_PRIVS = 38;

/**
 * Takes from this thread, which is the one that starts jobs, and all that it starts, what set-user-id programs and file
 * capabilities would give. Source: prctl(2), Documentation/userspace-api/no_new_privs.rst.
 *
 * @returns false where the C library has no such call for us; then each job needs setpriv(1) for it
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
    return false; // Another C library, or one of another name.
  }
}
