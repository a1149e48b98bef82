/** Whether a file has an access control list (acl(5)), beside which the group's bits of its mode say nothing of the group. */

/**
 * True when `ls` shows one. Nothing else here can read it: Deno gives no extended attributes. False where no program may be
 * run, as in the command line, and where `ls` does not know of lists.
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
    // Ten characters of type and mode, and a plus sign.
    return stdout[10] === "+".charCodeAt(0);
  } catch {
    return false;
  }
}
