/** Whether anybody else could change a file, or read a secret: owner and mode of it and of every directory above it. */
import { dirname } from "node:path";
import { hasAccessList } from "./access_list.ts";
import { hasOnly } from "./private_group.ts";

/**
 * Why a file is not believed.
 *
 * - `FOREIGN_OWNER`: it, or a directory above it, belongs to another user
 * - `WRITABLE`: other users can change it, or a directory above it
 * - `READABLE`: other users can read a secret
 */
export type FileAccessCode = "FOREIGN_OWNER" | "WRITABLE" | "READABLE";

/** A file that other users could have written, or read though it is secret. The message names the path and the remedy. */
export class FileAccessError extends Error {
  override readonly name = "FileAccessError";
  readonly code: FileAccessCode;
  /** The file or directory to be put right. */
  readonly path: string;

  constructor(code: FileAccessCode, path: string, message: string) {
    super(message);
    this.code = code;
    this.path = path;
  }
}

/** How a file is looked at. */
export interface AccessOptions {
  /** The user who believes the file. Absent: the user of this process. */
  readonly uid?: number;
}

/** How a secret is looked at. */
export interface SecretOptions extends AccessOptions {
  /** True: it may be readable where no other user can enter the directories above it. Default: it must not. */
  readonly isBehindDirectories?: boolean;
}

const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;
const GROUP_READS = 0o040;
/** All that others may do, and all but reading that the group may. */
const OTHERS_OR_MORE = 0o037;
const STICKY = 0o1000;

/** As many links as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Checks that only root and this user could have written a file or directory: each directory on the way to it, through
 * symbolic links too, and the file itself. A directory such as `/tmp`, in which nobody may rename the files of others
 * (sticky), may be writable. A group may write if it has no other members and there is no access control list. What does
 * not exist is not checked.
 *
 * @throws {FileAccessError} with the path and the command that puts it right
 * @throws {Deno.errors.PermissionDenied} when a directory on the way may not be entered
 */
export function checkWriters(path: string, options: AccessOptions = {}): void {
  const own = options.uid ?? Deno.uid() ?? 0;
  // Nobody is safe from the owner of the root directory, whom a user namespace may give another number than root's.
  const trusted = new Set([own, 0, Deno.lstatSync("/").uid ?? 0]);
  const rest = absolute(path).split("/").filter((name) => name !== "");
  let at = "/";
  let links = 0;
  checkEntry(at, Deno.lstatSync(at), trusted);
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === "." || name === "..") {
      if (name === "..") at = dirname(at);
      continue;
    }
    const here = at === "/" ? `/${name}` : `${at}/${name}`;
    const info = lookAt(here);
    if (info === undefined) return;
    // A directory further up is somebody's home, say: not for this user to take.
    checkEntry(here, info, trusted, rest.length <= 1);
    if (!info.isSymlink) {
      at = here;
      continue;
    }
    if (++links > MAX_LINKS) throw new Deno.errors.FilesystemLoop(`Cannot follow "${path}": too many symbolic links`);
    const target = Deno.readLinkSync(here);
    if (target.startsWith("/")) at = "/";
    rest.unshift(...target.split("/").filter((part) => part !== ""));
  }
}

/**
 * Checks that only this user and root can read and write a secret. A secret of root may be readable by a group, which is
 * how Kubernetes and others hand one to a user that does not own it.
 *
 * @throws {FileAccessError} when others can read or change it
 * @throws {Deno.errors.NotFound} when there is no such file
 */
export function checkSecret(path: string, options: SecretOptions = {}): void {
  const uid = options.uid ?? Deno.uid() ?? 0;
  const info = Deno.statSync(path);
  const mode = permissions(info);
  const isForGroup = info.uid === 0 && uid !== 0;
  if ((mode & OTHERS_OR_MORE) === 0 && ((mode & GROUP_READS) === 0 || isForGroup)) return;
  if (options.isBehindDirectories && !isReachable(path)) return;
  throw new FileAccessError(
    "READABLE",
    path,
    `"${path}" can be read or changed by others (mode "${octal(mode)}"): run chmod 600 ${shellWord(path)}; ` +
      "for a secret of Docker or Kubernetes, set its mode to 0400 and its owner to the server's user",
  );
}

/**
 * @param trusted the users who may own it, this one first
 * @param isNear true for the file itself and the directory it is in
 */
function checkEntry(path: string, info: Deno.FileInfo, trusted: ReadonlySet<number>, isNear = false): void {
  if (info.uid !== null && !trusted.has(info.uid)) {
    const [own = 0] = trusted;
    const chown = isNear ? `run chown ${info.isSymlink ? "-h " : ""}${own} ${shellWord(path)}, or ` : "";
    throw new FileAccessError(
      "FOREIGN_OWNER",
      path,
      `"${path}" belongs to the user with the number ${info.uid}, who could change what is in it: ` +
        `${chown}use a path that belongs to you or root, or run this as that user`,
    );
  }
  // The mode of a link means nothing: who may replace it is for its directory to say.
  if (info.isSymlink) return;
  const mode = permissions(info);
  const isSticky = info.isDirectory && ((info.mode ?? 0) & STICKY) !== 0;
  const byOthers = (mode & OTHERS_WRITE) !== 0;
  if (isSticky) return;
  const groupWrites = (mode & GROUP_WRITES) !== 0 && info.gid !== null;
  if (groupWrites && !byOthers && hasAccessList(path)) throw listed(path);
  const byGroup = groupWrites && !hasOnly(info.gid!, trusted);
  if (!byOthers && !byGroup) return;
  throw new FileAccessError(
    "WRITABLE",
    path,
    `"${path}" can be changed by ${byOthers ? "any user" : `the group ${info.gid}`} (mode "${octal(mode)}"): ` +
      `run chmod ${byOthers ? "go-w" : "g-w"} ${shellWord(path)}`,
  );
}

function listed(path: string): FileAccessError {
  return new FileAccessError(
    "WRITABLE",
    path,
    `"${path}" has an access control list that lets others write: run setfacl -b ${shellWord(path)}`,
  );
}

const OTHERS_ENTER = 0o011;

/** True when others can enter every directory above a file. */
function isReachable(path: string): boolean {
  let at = dirname(Deno.realPathSync(path));
  for (;;) {
    if ((permissions(Deno.statSync(at)) & OTHERS_ENTER) === 0) return false;
    if (at === "/") return true;
    at = dirname(at);
  }
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

function permissions({ mode }: Deno.FileInfo): number {
  return (mode ?? 0) & 0o777;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
