/** Detects access control lists (acl(5)). With one, the group bits of a file mode do not describe the group. */

/**
 * Returns true when `ls` shows an access control list. Deno cannot read extended attributes itself. Returns false when
 * the process may not run programs, as the command line, or when `ls` does not support lists.
 */
export function hasAccessList(path: string): boolean {
  const command = "/bin/ls";
  if (Deno.permissions.querySync({ name: "run", command }).state !== "granted") return false;
  try {
    const { stdout } = new Deno.Command(command, {
      args: ["-dln", "--", path],
      env: { LC_ALL: "C" },
      stdin: "null",
      stderr: "null",
    }).outputSync();
    // A plus sign follows the ten characters of type and mode.
    return stdout[10] === "+".charCodeAt(0);
  } catch {
    return false;
  }
}
