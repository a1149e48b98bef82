/** The users and groups of this system as their files have them: passwd(5), group(5). Others (LDAP, say) are not asked. */
import { quote } from "../../base/quote.ts";
import type { Credentials, StartFailure } from "./failure.ts";

/** As whom a process runs, and the variables that say so. */
export interface RunAs {
  readonly credentials: Credentials;
  readonly env: Readonly<Record<string, string>>;
}

/** Where users and groups are looked up. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

const FILES: UserFiles = { passwd: "/etc/passwd", group: "/etc/group" };

/**
 * Finds a user and group, by name or number, as initgroups(3) would have the process: with all groups that the user is
 * in. A group alone leaves the user as it is.
 *
 * @returns why there is none: then the process cannot be started
 */
export function findUser(
  { user, group }: { readonly user?: string; readonly group?: string },
  files: UserFiles = FILES,
): RunAs | StartFailure {
  const users = entriesOf(files.passwd);
  const groups = entriesOf(files.group);
  const given = user === undefined ? undefined : find(users, user);
  if (user !== undefined && given === undefined) return missing("user", user);
  const chosen = group === undefined ? undefined : find(groups, group);
  if (group !== undefined && chosen === undefined) return missing("group", group);
  const uid = given === undefined ? Deno.uid() ?? 0 : Number(given[2]);
  const gid = Number(chosen === undefined ? given?.[3] ?? Deno.gid() : chosen[2]);
  const [name = ""] = given ?? [];
  const memberOf = groups.filter(([, , , members = ""]) => name !== "" && members.split(",").includes(name));
  return {
    credentials: { uid, gid, groups: [...new Set([gid, ...memberOf.map((entry) => Number(entry[2]))])] },
    env: given === undefined ? {} : { HOME: given[5] || "/", USER: name, LOGNAME: name },
  };
}

/** A number is only one when no name is it: as chown(1) has it. */
function find(entries: readonly string[][], wanted: string): string[] | undefined {
  return entries.find(([name]) => name === wanted) ??
    (/^[0-9]{1,10}$/.test(wanted) ? entries.find((entry) => Number(entry[2]) === Number(wanted)) : undefined);
}

function missing(what: string, name: string): StartFailure {
  return { errorCode: "USER_NOT_FOUND", error: `No such ${what} ${quote(name)}: name one of the server's system` };
}

function entriesOf(path: string): string[][] {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return []; // A system without the file has no users but those of its processes.
  }
  // Lines that are cut off or comments have no number where one must be, and would be user 0.
  return text.split("\n").map((line) => line.split(":")).filter((entry) => /^[0-9]{1,10}$/.test(entry[2] ?? ""));
}
