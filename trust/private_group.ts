/** Detects groups with one member, as in distributions that give each user a group (umask 002). */

/**
 * Returns true when only these users are in a group. Reads the account files of the machine. With accounts from another
 * source, such as LDAP, every group counts as shared.
 *
 * @param uids the users who may be in the group
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
    // The members are unknown without the files.
    return false;
  }
}

/** The sources of accounts that are files of the machine. */
const LOCAL_SOURCES = ["files", "compat", "systemd", "db"];

function isLocal(): boolean {
  let text: string;
  try {
    text = Deno.readTextFileSync("/etc/nsswitch.conf");
  } catch (error) {
    // Without this file, the C library reads only the account files.
    return error instanceof Deno.errors.NotFound;
  }
  const sources = text.split("\n").filter((line) => /^(passwd|group|initgroups):/.test(line))
    .flatMap((line) => line.replace(/#.*/, "").replace(/\[[^\]]*\]/g, " ").split(/\s+/).slice(1));
  return sources.every((source) => source === "" || LOCAL_SOURCES.includes(source));
}

function lines(path: string): string[][] {
  return Deno.readTextFileSync(path).split("\n").filter((line) => line !== "").map((line) => line.split(":"));
}
