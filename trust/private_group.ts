/** Whether a group is one user's alone, as in distributions that give each user a group (umask 002). */

/**
 * True when no account of this machine but these is in the group. Only the files of the machine are asked: with accounts
 * from elsewhere (LDAP, say) nobody can be sure, and every group counts as shared.
 *
 * @param uids the users who may be in it
 */
export function hasOnly(gid: number, uids: ReadonlySet<number>): boolean {
  try {
    if (!isLocal()) return false;
    const accounts = lines("/etc/passwd").map(([name = "", , uid, group]) => ({ name, uid: Number(uid), group }));
    const members = lines("/etc/group").filter(([, , number]) => Number(number) === gid)
      .flatMap(([, , , names = ""]) => names.split(",").filter((name) => name !== ""));
    const isAllowed = (uid: number) => uids.has(uid);
    return accounts.every(({ uid, group }) => Number(group) !== gid || isAllowed(uid)) &&
      members.every((name) => accounts.some((account) => account.name === name && isAllowed(account.uid)));
  } catch {
    // Without the files nothing is known of the group.
    return false;
  }
}

/** The sources that are files of this machine. */
const LOCAL_SOURCES = ["files", "compat", "systemd", "db"];

function isLocal(): boolean {
  let text: string;
  try {
    text = Deno.readTextFileSync("/etc/nsswitch.conf");
  } catch (error) {
    // Without it the C library asks the files alone.
    return error instanceof Deno.errors.NotFound;
  }
  const sources = text.split("\n").filter((line) => /^(passwd|group|initgroups):/.test(line))
    .flatMap((line) => line.replace(/#.*/, "").replace(/\[[^\]]*\]/g, " ").split(/\s+/).slice(1));
  return sources.every((source) => source === "" || LOCAL_SOURCES.includes(source));
}

function lines(path: string): string[][] {
  return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "").map((line) => line.split(":"));
}
