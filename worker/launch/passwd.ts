/** Looks up users and groups in the files passwd(5) and group(5). It does not ask other sources, such as LDAP. */
import { quote } from "../../base/quote.ts";
import type { Credentials, StartFailure } from "./failure.ts";

/** The user and groups of a process, and the variables that name them. */
export interface RunAs {
  readonly credentials: Credentials;
  readonly env: Readonly<Record<string, string>>;
}

/** The paths of the files. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

const FILES: UserFiles = { passwd: "/etc/passwd", group: "/etc/group" };

/**
 * Looks up a user and a group, by name or number. The result has all groups of the user, as initgroups(3) sets them. With
 * a group alone, the process keeps the user of the server.
 *
 * @returns the user and groups, or why the process cannot be started
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

/** Returns the id of the group of terminals. Undefined when the system has no such group. */
export function findTerminalGroup(files: UserFiles = FILES): number | undefined {
  const entry = entriesOf(files.group).find(([name]) => name === "tty");
  return entry && Number(entry[2]);
}

/** Finds an entry by name, and by number if no entry has that name, as chown(1) does. */
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
    return []; // A system may have no such file.
  }
  // Truncated lines and comments have no number and would count as user 0.
  return text.split("\n").map((line) => line.split(":")).filter((entry) => /^[0-9]{1,10}$/.test(entry[2] ?? ""));
}
